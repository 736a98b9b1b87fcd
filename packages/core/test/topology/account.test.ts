import { describe, expect, it } from "vitest";
import { Account } from "../../src/topology/account.ts";
import type { Delivery } from "../../src/topology/delivery.ts";
import { Ledger } from "../../src/topology/ledger.ts";

const sized = (size: number) => ({ payload: undefined, metadata: {}, size });
const sizeOf = ({ size = 0 }: { readonly size?: number | undefined }): number => size;

/** An account that so many messages have come to, one pull after the other. */
function arrived(...counts: readonly number[]) {
  const ledger = new Ledger();
  const account = new Account("source", async () => {});
  const arrivals = counts.map((count) => {
    const arrival = ledger.arrive(account, 0, 0, count);
    arrival.take(
      Array.from({ length: count }, () => sized(1)),
      Infinity,
      sizeOf,
      () => {},
    );
    ledger.receive(arrival);
    return arrival;
  });
  const deliveries = arrivals.map((arrival) => [...arrival.unsettled()]);
  return { ledger, account, arrivals, deliveries };
}

describe("Account", () => {
  it("lists what is not settled, the oldest arrival first, in whatever order the others end", () => {
    const { ledger, account, deliveries } = arrived(1, 2, 1, 1);
    const [first, second, third, fourth] = deliveries as [
      Delivery[],
      Delivery[],
      Delivery[],
      Delivery[],
    ];
    for (const delivery of [...third, second[0] as Delivery]) ledger.release(delivery);
    expect([...account.unsettled()]).toEqual([first[0], second[1], fourth[0]]);
    ledger.release(first[0] as Delivery);
    ledger.release(fourth[0] as Delivery);
    expect([...account.unsettled()]).toEqual([second[1]]);
    ledger.release(second[1] as Delivery);
    expect([...account.unsettled()]).toEqual([]);
  });

  it("lists all of it while what is listed is given back", () => {
    const { ledger, account } = arrived(2, 1, 3);
    let seen = 0;
    for (const delivery of account.unsettled()) {
      ledger.release(delivery);
      seen++;
    }
    expect(seen).toBe(6);
  });

  it("keeps no arrival that is over for long, though one before it stays", () => {
    const { ledger, account } = arrived(1);
    for (let index = 0; index < 1000; index++) {
      const arrival = ledger.arrive(account, 0, 0, 1);
      arrival.take([sized(1)], Infinity, sizeOf, () => {});
      ledger.receive(arrival);
      ledger.release(arrival.deliveries[0] as Delivery);
    }
    expect(account.arrivals).toBeLessThan(40);
    expect([...account.unsettled()]).toHaveLength(1);
  });

  it("keeps nothing of a message that the source knows of, while others of its arrival are out", () => {
    const { ledger, arrivals, deliveries } = arrived(2);
    const [first, second] = deliveries[0] as [Delivery, Delivery];
    ledger.release(first);
    expect(arrivals[0]?.deliveries).toEqual([undefined, second]);
  });
});

describe("Arrival", () => {
  const take = (most: number, bytes: number, ...sizes: readonly number[]) => {
    const { ledger, account } = arrived();
    const arrival = ledger.arrive(account, 0, 0, most);
    const seen = arrival.take(sizes.map(sized), bytes, sizeOf, () => {});
    return [seen, arrival.received, arrival.bytes];
  };

  it("takes as many messages as there is room for", () => {
    expect(take(2, Infinity, 1, 1, 1)).toEqual([2, 2, 2]);
  });

  it("takes as many bytes as there is room for", () => {
    expect(take(9, 5, 2, 3, 1)).toEqual([2, 2, 5]);
  });

  it("takes a message that is too large for the room, if it would be alone", () => {
    expect(take(9, 5, 7, 1)).toEqual([1, 1, 7]);
  });

  it("takes none that is too large where others are out", () => {
    const { ledger, account } = arrived(1);
    const arrival = ledger.arrive(account, 0, 0, 9);
    expect(arrival.take([sized(7)], 5, sizeOf, () => {})).toBe(0);
    expect(arrival.received).toBe(0);
  });

  it("passes over what cannot be looked at, and says why", () => {
    const { ledger, account } = arrived();
    const arrival = ledger.arrive(account, 0, 0, 3);
    const reasons: unknown[] = [];
    const broken = new Error("broken");
    const incoming = [sized(1), sized(2), sized(3)];
    const picky: typeof sizeOf = (one) => {
      if (one === incoming[1]) throw broken;
      return sizeOf(one);
    };
    expect(arrival.take(incoming, Infinity, picky, (reason) => reasons.push(reason))).toBe(3);
    expect([arrival.received, arrival.bytes, reasons]).toEqual([2, 4, [broken]]);
  });
});
