import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConformanceCase } from "./case.ts";
import type { Strikes } from "./strikes.ts";
import type { BackendUnderTest } from "./subject.ts";

/** What a case's course depends on. */
interface HowItRan extends Partial<Strikes> {
  readonly seed: number;
  readonly full?: boolean;
  /** How the command finds the backend, if not by the subject's name. */
  readonly word?: string;
}

/** The command that runs one case again as it ran; `seed`: the options by which its chances come again. */
export function again(
  { id, nemesis }: ConformanceCase,
  subject: BackendUnderTest,
  options: HowItRan,
  seed = `--seed ${options.seed}`,
): string {
  const strikes = nemesis && options[nemesis];
  const flags = [
    ...(options.full === true ? ["--full"] : []),
    ...(nemesis && strikes !== undefined ? [`--${inKebabCase(nemesis)} ${strikes}`] : []),
  ];
  return ["perdure-conformance", options.word ?? wordFor(subject), "--grep", id, ...flags, seed].join(" ");
}

/** Its module, if it names one: the command knows few subjects by name. */
function wordFor({ module, name }: BackendUnderTest): string {
  return module?.protocol === "file:" ? `./${relative(process.cwd(), fileURLToPath(module))}` : name;
}

function inKebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}
