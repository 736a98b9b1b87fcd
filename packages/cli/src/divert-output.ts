import { StringDecoder } from "node:string_decoder";

/** Hands whole lines that anybody writes to a stream to `print`, until the function it gives is called. */
export function divertOutput(
  stream: NodeJS.WriteStream,
  print: (line: string) => void,
): () => void {
  const original = stream.write;
  const decoder = new StringDecoder();
  let rest = "";
  const write = (
    chunk: string | Uint8Array,
    encodingOrDone?: BufferEncoding | ((error?: Error) => void),
    done?: (error?: Error) => void,
  ): boolean => {
    rest += textOf(chunk, encodingOrDone, decoder);
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) print(line);
    const callback = typeof encodingOrDone === "function" ? encodingOrDone : done;
    if (callback !== undefined) process.nextTick(callback);
    return true;
  };
  stream.write = write;
  return () => {
    stream.write = original;
    if (rest !== "") print(rest);
    rest = "";
  };
}

function textOf(chunk: string | Uint8Array, encoding: unknown, decoder: StringDecoder): string {
  if (typeof chunk !== "string") return decoder.write(Buffer.from(chunk));
  return typeof encoding === "string" && !/^utf-?8$/i.test(encoding)
    ? Buffer.from(chunk, encoding as BufferEncoding).toString()
    : chunk;
}
