import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type Schemas = components["schemas"];
export type LookupView = Schemas["gateway.v1.LookupView"];
export type Problem = Schemas["Problem"];

export interface CommerceOptions {
  /** The Gateway's HTTP address, for example "https://api.shop.example". */
  baseUrl: string;
  /** An API key, or what gives out a token; asked before every call, so keep a token until shortly before its end. */
  token?: string | (() => string | Promise<string>);
}

/** A call that was refused: an RFC 9457 problem, with the reason for programs to branch on. */
export class CommerceError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get reason(): string {
    return this.problem.reason;
  }
}

export interface CommerceClient extends Client<paths> {
  /**
   * An order's view now, and again whenever it changes. Opened again after a break, from the last version seen: nothing comes twice.
   * Ends with the signal; throws what asking again cannot mend.
   */
  watchLookup(code: string, options?: { signal?: AbortSignal; afterVersion?: string }): AsyncGenerator<LookupView, void, void>;
}

/** A typed client: GET, POST, PATCH and PUT of every documented path. Writes without an Idempotency-Key get one. */
export function createCommerceClient(options: CommerceOptions): CommerceClient {
  const authorize = async (headers: Headers): Promise<void> => {
    const token = typeof options.token === "function" ? await options.token() : options.token;
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  };
  const everyCall: Middleware = {
    async onRequest({ request }) {
      await authorize(request.headers);
      if (request.method !== "GET" && !request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", crypto.randomUUID());
      return request;
    },
  };
  const client = createClient<paths>({ baseUrl: options.baseUrl });
  client.use(everyCall);

  async function* watchLookup(code: string, { signal, afterVersion = "0" }: { signal?: AbortSignal; afterVersion?: string } = {}): AsyncGenerator<LookupView, void, void> {
    let last = afterVersion;
    for (let failures = 0; !signal?.aborted; failures++) {
      if (failures > 0) await pause(Math.min(15_000, 250 * 2 ** (failures - 1)), signal);
      try {
        const headers = new Headers({ Accept: "text/event-stream" });
        if (last !== "0") headers.set("Last-Event-ID", last);
        await authorize(headers);
        const response = await fetch(`${options.baseUrl}/v1/lookup/${encodeURIComponent(code)}:watch`, { headers, signal: signal ?? null });
        if (response.status >= 500 || response.status === 429) continue;
        if (!response.ok) throw new CommerceError((await response.json()) as Problem);
        for await (const { id, name, data } of events(response.body!)) {
          // The stream ended with its token: it goes on with the one of now, or is refused.
          if (name === "problem") break;
          failures = 0;
          last = id ?? last;
          yield JSON.parse(data) as LookupView;
        }
      } catch (error) {
        if (signal?.aborted) return;
        // A broken connection is a TypeError of fetch.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  return Object.assign(client, { watchLookup });
}

/** The events of a stream (WHATWG server-sent events, as far as the suite uses them). */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<{ id?: string; name?: string; data: string }, void, void> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>) as unknown as AsyncIterable<string>) {
    rest += text;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const fields = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const valueOf = (name: string) => fields.filter((field) => field.startsWith(`${name}: `)).map((field) => field.slice(name.length + 2));
      const data = valueOf("data");
      const id = valueOf("id").at(-1);
      const name = valueOf("event").at(-1);
      if (data.length > 0) yield { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), data: data.join("\n") };
    }
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
