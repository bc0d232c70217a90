/** What the command is at, to be told when the process ends before the command does. */
export class CurrentWork {
  readonly #works = new Set<string>();
  #done = false;

  begin(work: string): void {
    this.#works.add(work);
  }

  end(work: string): void {
    this.#works.delete(work);
  }

  /** The command has come to its end by itself. */
  done(): void {
    this.#done = true;
  }

  /** From now on an end that comes from elsewhere, as by `process.exit()` in a backend, is an end with code 1. */
  guard(): void {
    process.once("exit", (code) => {
      if (this.#done) return;
      const works = [...this.#works].join(", ");
      console.error(`The process was ended with code ${code} during ${works || "the run"}: this is not a pass.`);
      console.error("Nothing that the suite calls may end its process, or leave a promise that nothing will settle.");
      process.exitCode = 1;
    });
  }
}
