import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const INTERVAL_US = 100;

/** Profiles this process. */
export class Profiler {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<Profiler> {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await session.post("Profiler.start");
    return new Profiler(session);
  }

  /** Writes what was seen into a .cpuprofile. */
  async stop(file: string): Promise<void> {
    const { profile } = await this.#session.post("Profiler.stop");
    writeFileSync(file, JSON.stringify(profile));
    this.#session.disconnect();
  }
}
