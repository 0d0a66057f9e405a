/** Whether the command line takes what containers are told. */
import type { Command } from "commander";
import { program } from "../../../cli/program.ts";
import { containersOf } from "./pods.ts";
import { podsOf, type Thing } from "./render.ts";

/** Read by what is not a command's option: worker/engine/install.ts, proto/cluster.ts, proto/depot/s3client.ts. */
const variables = [
  "LIMBECK_GPU",
  "LIMBECK_NATS_CREDS",
  "LIMBECK_NATS_CA",
  "LIMBECK_NATS_USER",
  "LIMBECK_NATS_PASSWORD",
  "LIMBECK_NATS_DEPOT_USER",
  "LIMBECK_NATS_DEPOT_PASSWORD",
  "AWS_REGION",
  "AWS_ENDPOINT_URL_S3",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
];

/** Stands for what only a cluster knows. */
const known: Readonly<Record<string, string>> = { POD_IP: "10.0.0.7", POD_NAME: "a-pod", POD_UID: "7f3a" };

/** As Kubernetes gives them to the process: $(NAME) is replaced by the variable of that name. */
export function expanded(container: Thing, values: Readonly<Record<string, string>> = known): string[] {
  const own = new Map((container.env ?? []).map(({ name, value }: Thing) => [name, value ?? values[name]]));
  return container.args.map((arg: string) =>
    arg.replaceAll(/\$\((\w+)\)/g, (all, name) => String(own.get(name) ?? all)),
  );
}

/** Of `--NAME=VALUE`, VALUE. */
export function optionOf(args: readonly string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

const limbeck = quiet(program());

export function argumentProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap(({ where, spec }) =>
    containersOf(spec)
      .filter(({ name }) => name !== "nats")
      .flatMap((container) => [...commandProblems(where, container), ...variableProblems(where, container)]),
  );
}

function commandProblems(where: string, container: Thing): string[] {
  const args = expanded(container);
  const command = limbeck.commands.find((each) => each.name() === args[0]);
  if (!command) return [`${where}: there is no command ${args[0]}`];
  const left = args
    .filter((arg) => arg.includes("$("))
    .map((arg) => `${where}: nothing replaces the variable in ${arg}`);
  const refusal = refusalOf(args);
  return refusal === "" ? left : [...left, `${where}: ${refusal}`];
}

/** What the command line says to these; empty where it takes them. */
export function refusalOf(args: readonly string[]): string {
  try {
    limbeck.parse(args, { from: "user" });
    return "";
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

function variableProblems(where: string, { env = [] }: Thing): string[] {
  const options = allOf(limbeck).flatMap(({ options }) => options.flatMap(({ envVar }) => envVar ?? []));
  const isOurs = ({ name }: Thing) => /^(LIMBECK|AWS)_/.test(name);
  return env
    .filter(isOurs)
    .filter(({ name }: Thing) => !options.includes(name) && !variables.includes(name))
    .map(({ name }: Thing) => `${where}: nothing reads ${name}`);
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

/** Parses and checks, and does nothing. */
function quiet(command: Command): Command {
  for (const each of allOf(command))
    each
      .action(() => {})
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
  return command;
}
