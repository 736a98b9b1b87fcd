import { randomUUID } from "node:crypto";

/** Who leases: of a key, later messages go to whoever has the earlier ones. */
export class Owner {
  #id: string = randomUUID();

  get id(): string {
    return this.#id;
  }

  /**
   * To be called if a lease has failed. It may have been made all the same, and then nobody has what it took: who takes later
   * messages of its keys must be somebody else.
   */
  renew(): void {
    this.#id = randomUUID();
  }
}
