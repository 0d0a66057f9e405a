/** The commands that ask a running coordinator. */
import { type Command, Option } from "commander";
import { coordinatorOption, interval, positive, printing, since } from "./options.ts";
import { sortKeys } from "./terminal/workergrid.ts";

/** Where a coordinator listens if it is not told. */
const usualCoordinator = { host: "127.0.0.1", port: 7070 };

export function addQuestions(limbeck: Command): void {
  const asking = (name: string, what: string) =>
    printing(limbeck.command(name), what).addOption(coordinatorOption().default(usualCoordinator, "127.0.0.1:7070"));

  asking("status", "json: all of it, with every worker")
    .description("say how a running job is: how far, how fast, what it waits for and why; exit code 1 where it failed")
    .action(async (options) => (await import("./status.ts")).status(options));

  asking("workers", "json: a list")
    .description("list the workers of a running job (a role with * is the coordinator's choice)")
    .addOption(new Option("--sort <key>", "what comes first").choices(sortKeys).default("role"))
    .action(async (options) => (await import("./status.ts")).workers(options));

  asking("logs", "json: the events, a line each")
    .description("print what was decided in a running job, and why")
    .option("-f, --follow", "go on with what is decided from now on, until the job or Ctrl-C ends it")
    .option("--since <time>", "only what is younger: 90s, 10m, 2h, 1d, or a date and time", since)
    .option("-n, --lines <n>", "of what there is already, only the last n", positive)
    .action(async (options) => (await import("./logs.ts")).logs(options));

  asking("top", "json: status and last decisions once, for scripts")
    .description("show a running job on the whole terminal, live; q quits")
    .option("--interval <seconds>", "between two looks at the job", interval, 1)
    .option("--once", "print one frame, for scripts")
    .action(async (options) => (await import("./top.ts")).top(options));
}
