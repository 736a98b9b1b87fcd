import type { Socket } from "node:net";
import type { Faults } from "./fault-proxy.ts";

/** How much may be under way in one direction before its sender is held back. */
const MOST_BYTES = 1 << 20;

/** Into so many pieces goes what a limited bandwidth lets through in a second. */
const PIECES_PER_SECOND = 50;

interface Chunk {
  readonly bytes: Buffer;
  readonly arrived: number;
}

/** One direction of a connection: what comes from `from` goes to `to` in order, late and in pieces if need be. */
export class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #passed: (bytes: number) => void;
  readonly #queue: Chunk[] = [];
  #faults: Faults;
  #queued = 0;
  #ended = false;
  #closed = false;
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the bandwidth lets the next piece through. */
  #clear = 0;

  constructor(from: Socket, to: Socket, faults: Faults, passed: (bytes: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#passed = passed;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.once("end", () => {
      this.#ended = true;
      this.#advance();
    });
    to.on("drain", () => this.#advance());
  }

  suffer(faults: Faults): void {
    this.#faults = faults;
    this.#advance();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #take(bytes: Buffer): void {
    this.#queue.push({ bytes, arrived: performance.now() });
    this.#queued += bytes.length;
    if (this.#queued > MOST_BYTES) this.#from.pause();
    this.#advance();
  }

  /** Passes on what may pass now, and sees to it that the rest comes later. */
  #advance(): void {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    while (!this.#closed && !this.#faults.stall && !this.#to.writableNeedDrain) {
      const chunk = this.#queue[0];
      if (chunk === undefined) {
        if (this.#ended) this.#to.end();
        break;
      }
      const wait = Math.max(chunk.arrived + this.#faults.latency, this.#clear) - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#advance(), wait);
        break;
      }
      this.#pass(chunk);
    }
    this.#busy = false;
  }

  #pass(chunk: Chunk): void {
    const { slice, bandwidth } = this.#faults;
    const most = Math.max(1, Math.min(slice, Math.floor(bandwidth / PIECES_PER_SECOND)));
    const piece = chunk.bytes.subarray(0, most);
    if (piece.length === chunk.bytes.length) this.#queue.shift();
    else this.#queue[0] = { bytes: chunk.bytes.subarray(most), arrived: chunk.arrived };
    this.#queued -= piece.length;
    if (this.#queued <= MOST_BYTES && this.#from.isPaused()) this.#from.resume();
    this.#clear = performance.now() + (piece.length / bandwidth) * 1000;
    this.#to.write(piece);
    this.#passed(piece.length);
  }
}
