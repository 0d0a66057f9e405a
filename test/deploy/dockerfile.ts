/** A Dockerfile as instructions, what is wrong with it by the rules that this repository has for images. */
import {
  type Instruction as Ast,
  DockerfileParser,
  type JSONInstruction,
  type ModifiableInstruction,
} from "dockerfile-ast";
import { validate } from "dockerfile-utils";

export interface Instruction {
  /** FROM, RUN, … */
  readonly keyword: string;
  /** Of COPY --from=…: from. */
  readonly flags: Readonly<Record<string, string>>;
  /** Variables are put in; as the JSON says where it is in exec form. */
  readonly words: readonly string[];
  readonly isExec: boolean;
}

export interface Stage {
  /** What follows AS; the last may have none. */
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

export function stagesOf(text: string): readonly Stage[] {
  const all = DockerfileParser.parse(text).getInstructions().map(instruction);
  const isFrom = ({ keyword }: Instruction) => keyword === "FROM";
  const defaults = new Map(all.slice(0, all.findIndex(isFrom)).map(({ words: [word = ""] }) => split(word)));
  const starts = all.flatMap((each, at) => (isFrom(each) ? [at] : []));
  return starts.map((start, number) => {
    const [from = "", , name = ""] = all[start]!.words;
    const variables = new Map<string, string>();
    const instructions = all.slice(start + 1, starts[number + 1]).map((each) => {
      if (each.keyword === "ARG") variables.set(...split(each.words[0]!));
      return { ...each, words: each.words.map((word) => filled(word, variables)) };
    });
    return { name, from: filled(from, defaults), instructions };
  });
}

function split(word: string): [string, string] {
  const at = word.indexOf("=");
  return at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1)];
}

function filled(word: string, variables: ReadonlyMap<string, string>): string {
  return word.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables.get(name) ?? whole);
}

function instruction(ast: Ast): Instruction {
  const json = (ast as JSONInstruction).getJSONStrings?.() ?? [];
  const isExec = json.length > 0;
  const flags = ((ast as ModifiableInstruction).getFlags?.() ?? []).map((flag) => [
    flag.getName(),
    flag.getValue() ?? "",
  ]);
  const plain = ast.getArguments().map((each) => each.getValue());
  const words = isExec
    ? json.map((each) => each.getJSONValue())
    : plain.filter((word) => !/^--(from|chown|chmod)=/.test(word));
  return { keyword: ast.getKeyword(), flags: Object.fromEntries(flags), words, isExec };
}

/** One sentence each. */
export function faultsOf(text: string): readonly string[] {
  const syntax = validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
  const stages = stagesOf(text);
  const last = stages.at(-1);
  if (!last) return [...syntax, "there is no FROM"];
  const names = stages.map(({ name }) => name);
  return [
    ...syntax,
    ...stages.flatMap(({ from }) =>
      names.includes(from) || isPinned(from) ? [] : [`${from} is not an exact version`],
    ),
    ...stages.flatMap(({ instructions }) => instructions.flatMap(faultsOfOne)),
    ...faultsOfImage([...inherited(stages, last), ...last.instructions]),
  ];
}

/** Of the stages that a stage is made from, in order. */
function inherited(stages: readonly Stage[], { from }: Stage): readonly Instruction[] {
  const before = stages.find(({ name }) => name === from);
  return before ? [...inherited(stages, before), ...before.instructions] : [];
}

const isPinned = (image: string) => /@sha256:[0-9a-f]{64}$|:\d+\.\d+/.test(image);

function faultsOfOne({ keyword, words, flags }: Instruction): readonly string[] {
  const text = words.join(" ");
  const faults: string[] = [];
  const secret = /(token|secret|passw|credential|api_?key)/i;
  if (keyword === "ADD") faults.push(`ADD ${text}: COPY says what it does`);
  if (/^(ARG|ENV)$/.test(keyword) && words.some((word) => secret.test(split(word)[0])))
    faults.push(`${keyword} ${text}: a secret stays in the image's history`);
  if (keyword === "WORKDIR" && !text.startsWith("/")) faults.push(`WORKDIR ${text} depends on what was before`);
  if (flags["chown"]) faults.push(`COPY --chown=${flags["chown"]}: what runs must not be able to change itself`);
  if (keyword === "RUN") faults.push(...faultsOfRun(text));
  return faults;
}

function faultsOfRun(text: string): readonly string[] {
  const faults: string[] = [];
  if (/\b(curl|wget|sudo)\b/.test(text)) faults.push(`RUN ${text}: fetches what nobody checks, or asks for rights`);
  if (/chmod\s+(-R\s+)?(0?777|a\+w|o\+w)/.test(text)) faults.push(`RUN ${text}: anybody may write`);
  const [, installed] = /apt-get install ([^&|;]*)/.exec(text) ?? [];
  if (installed === undefined) return faults;
  const packages = installed
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "\\" && !word.startsWith("-"));
  faults.push(...packages.filter((name) => !/=\S+/.test(name)).map((name) => `${name} has no version`));
  if (!text.includes("--no-install-recommends")) faults.push("apt-get install brings what is only recommended");
  if (!/rm -rf \/var\/lib\/apt\/lists/.test(text)) faults.push("apt's lists stay in the layer");
  return faults;
}

function faultsOfImage(instructions: readonly Instruction[]): readonly string[] {
  const last = (keyword: string) => instructions.findLast((each) => each.keyword === keyword);
  const faults: string[] = [];
  const user = last("USER")?.words[0] ?? "root";
  if (!/^[1-9]\d*:[1-9]\d*$/.test(user))
    faults.push(`USER ${user}: a number that is not root's, and its group's, is needed`);
  const entry = last("ENTRYPOINT");
  if (!entry?.isExec || !/tini$/.test(entry.words[0] ?? "")) faults.push("ENTRYPOINT is not tini in exec form");
  if (!last("CMD")?.isExec) faults.push("CMD is not in exec form");
  if (last("HEALTHCHECK")?.words.includes("NONE") ?? true) faults.push("there is no HEALTHCHECK");
  const labels = instructions
    .filter(({ keyword }) => keyword === "LABEL")
    .flatMap(({ words }) => words.map((word) => split(word)[0]));
  for (const name of ["title", "description", "licenses", "version", "revision"])
    if (!labels.includes(`org.opencontainers.image.${name}`)) faults.push(`the label ${name} is missing`);
  return faults;
}
