import { type Socket, connect } from "node:net";
import type { PlannedCut } from "./cut.ts";
import type { Line } from "./line.ts";

/** An answer may come in pieces: it has ended when the server was silent for so long. */
const SILENCE_MS = 10;

/** Whoever listens to what passes, and decides what becomes of it. */
export interface Watcher {
  /** A client sends bytes; `begins`: the first since the server's last answer. Answers with the cut that waits for them. */
  request(bytes: Buffer, begins: boolean): PlannedCut | undefined;
  /** Bytes arrive while the line is dead. */
  held(): void;
  cut(plan: PlannedCut): void;
  closed(connection: Connection): void;
}

/** A client's connection, and the one to the server that goes with it. */
export class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #line: Line;
  readonly #watcher: Watcher;
  readonly #over = new AbortController();
  #answered = true;
  /** The cut that happens when the server has answered. */
  #doomed: PlannedCut | null = null;
  #silence: NodeJS.Timeout | undefined;

  constructor(client: Socket, target: { readonly host: string; readonly port: number }, line: Line, watcher: Watcher) {
    this.#client = client.setNoDelay();
    this.#server = connect({ ...target, allowHalfOpen: true }).setNoDelay();
    this.#line = line;
    this.#watcher = watcher;
    this.#relay(this.#client, this.#server, (bytes) => this.#request(bytes));
    this.#relay(this.#server, this.#client, () => this.#reply());
  }

  /** Ends both sides at once. */
  destroy(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearTimeout(this.#silence);
    this.#client.destroy();
    this.#server.destroy();
    this.#watcher.closed(this);
  }

  /** @param passes whether bytes go on to the other side */
  #relay(from: Socket, to: Socket, passes: (bytes: Buffer) => boolean): void {
    let before = Promise.resolve();
    const inOrder = (arrive: () => void): void => {
      const sentAt = performance.now();
      if (this.#line.dead) this.#watcher.held();
      before = before
        // It rejects when the connection ends on the way.
        .then(() => this.#line.carry(sentAt, this.#over.signal).catch(() => {}))
        .then(() => {
          if (!this.#over.signal.aborted) arrive();
        });
    };
    from.on("data", (bytes: Buffer) => inOrder(() => void (passes(bytes) && to.write(bytes))));
    from.on("end", () => inOrder(() => to.end()));
    // What it sent before it broke or closed goes on.
    from.on("error", () => {});
    from.on("close", () => {
      if (to.destroyed) this.destroy();
      else inOrder(() => to.destroySoon());
    });
  }

  #request(bytes: Buffer): boolean {
    const begins = this.#answered;
    this.#answered = false;
    const plan = this.#watcher.request(bytes, begins);
    if (plan?.moment === "before") {
      this.#cut(plan);
      return false;
    }
    this.#doomed ??= plan ?? null;
    return true;
  }

  #reply(): boolean {
    this.#answered = true;
    const plan = this.#doomed;
    if (plan === null) return true;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#cut(plan), SILENCE_MS);
    return false;
  }

  #cut(plan: PlannedCut): void {
    plan.note();
    this.#watcher.cut(plan);
    this.destroy();
  }
}
