import type { RecordBatch, RecordClient, SendResult } from "../../src/client.ts";

export const failed = (
  brokerError: string | undefined,
  outcome: "notWritten" | "unknown" = "notWritten",
): SendResult => ({ outcome, brokerError, cause: new Error("by the broker") });

/** A client whose broker keeps what it is sent, and answers as it is told. */
export class FakeClient implements RecordClient {
  readonly log = new Map<string, string[]>();
  /** The values of every batch of every request, in order. */
  readonly requests: string[][][] = [];
  sending = 0;
  mostAtOnce = 0;
  closed = false;
  partitions: (topic: string) => Promise<number> = async () => 2;
  answer: (
    batch: RecordBatch,
    values: string[],
    timeout: number,
  ) => SendResult | Promise<SendResult> = () => "written";

  async send(batches: readonly RecordBatch[], timeout: number): Promise<readonly SendResult[]> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.sending);
    this.requests.push(batches.map(valuesOf));
    const results: SendResult[] = [];
    for (const batch of batches) {
      const result = await this.answer(batch, valuesOf(batch), timeout);
      results.push(result);
      const place = `${batch.topic}:${batch.partition}`;
      if (result === "written") {
        this.log.set(place, [...(this.log.get(place) ?? []), ...valuesOf(batch)]);
      }
    }
    this.sending--;
    return results;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const valuesOf = ({ records }: RecordBatch): string[] => records.map(({ value }) => String(value));
