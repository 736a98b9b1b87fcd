import type { Message } from "westend";

/** A message as a batch handler sees it, which remembers why it was failed. */
export interface FakeMessage<Data> extends Message<Data> {
  readonly failure: any;
}

export function messages<Data>(data: readonly Data[]): FakeMessage<Data>[] {
  return data.map((each) => {
    const message = {
      data: each,
      failure: undefined as unknown,
      fail: (reason: unknown) => void (message.failure = reason),
    };
    return message as unknown as FakeMessage<Data>;
  });
}
