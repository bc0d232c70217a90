import { fork } from "node:child_process";

/** Runs a module in a process of its own, as this user or another one; answers what it sends last, when it has ended. */
export function child(module: URL, args: readonly string[], user: { readonly uid?: number } = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const forked = fork(module, [...args], { execArgv: ["--conditions=@perdure/source"], ...user });
    let last: unknown;
    forked.on("message", (message) => (last = message));
    forked.on("error", reject);
    forked.on("exit", (code) =>
      code === 0 ? resolve(last) : reject(new Error(`${module.pathname} ended with ${code}`)),
    );
  });
}
