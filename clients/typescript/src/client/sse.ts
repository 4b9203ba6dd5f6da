/** A block of a stream of server-sent events. */
export interface ServerSentEvent {
  /** The id of the block, or of the last block before it that has one. Only `hasId` says that this block has it. */
  id: string;
  hasId: boolean;
  /** The name of the event. Empty if the block has none. */
  name: string;
  /** Empty if the block has none. */
  data: string;
}

/**
 * Parses a stream of server-sent events as the HTML standard specifies it, except `retry`. Unlike `EventSource`, it also yields blocks
 * without data, because they have the id to continue from. Yields undefined for a comment, which shows that the connection is alive. Throws
 * the reason of the signal as soon as it is aborted.
 */
export async function* parseServerSentEvents(body: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<ServerSentEvent | undefined, void, undefined> {
  let id = "";
  let block: ServerSentEvent | undefined;
  for await (const line of lines(body, signal)) {
    if (line === "") {
      if (block !== undefined) yield block;
      block = undefined;
      continue;
    }
    if (line.startsWith(":")) {
      yield undefined;
      continue;
    }
    block ??= { id, hasId: false, name: "", data: "" };
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") block.data += block.data === "" ? value : `\n${value}`;
    else if (field === "event") block.name = value;
    else if (field === "id" && !value.includes("\0")) {
      id = value;
      block.id = id;
      block.hasId = true;
    }
  }
  // The standard says to ignore a block that the end of the stream has cut off.
}

/** Splits a stream of bytes into lines that end with CR LF, LF or CR. A last line without an end is dropped. */
async function* lines(body: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  // Not every fetch ends the body by itself when its signal is aborted.
  const stop = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A CR at the end may be the first half of CR LF.
      const parts = rest.split(/\r\n|\n|\r(?!$)/);
      rest = parts.pop() ?? "";
      yield* parts;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await reader.cancel().catch(() => {});
  }
}
