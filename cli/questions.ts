/** The commands that ask a running coordinator how a job is. */
import { type Command, Option } from "commander";
import { interval, positive, printing, since } from "./options.ts";
import { placeOf, usualCoordinator, withPlace } from "./place.ts";
import { sortKeys } from "./terminal/workergrid.ts";

export function addQuestions(limbeck: Command): void {
  const asking = (name: string, what: string) =>
    withPlace(printing(limbeck.command(name), what)).argument(
      "[job]",
      "of a service: a job's id, the beginning of one, or its name; without it the only job",
    );
  const meant = (job: string | undefined, command: Command) => ({ job, at: placeOf(command, usualCoordinator) });

  asking("status", "json: all of it, with every worker")
    .description("say how a job is: how far, how fast, what it waits for and why; exit code 1 where it failed")
    .action(async (job, options, command) =>
      (await import("./status.ts")).status({ ...options, ...meant(job, command) }),
    );

  asking("workers", "json: a list")
    .description("list the workers of a running job (a role with * is the coordinator's choice)")
    .addOption(new Option("--sort <key>", "what comes first").choices(sortKeys).default("role"))
    .action(async (job, options, command) =>
      (await import("./status.ts")).workers({ ...options, ...meant(job, command) }),
    );

  asking("logs", "json: the events, a line each")
    .description("print what was decided in a job, and why")
    .option("-f, --follow", "go on with what is decided from now on, until the job or Ctrl-C ends it")
    .option("--since <time>", "only what is younger: 90s, 10m, 2h, 1d, or a date and time", since)
    .option("-n, --lines <n>", "of what there is already, only the last n", positive)
    .action(async (job, options, command) => (await import("./logs.ts")).logs({ ...options, ...meant(job, command) }));

  asking("top", "json: status and last decisions once, for scripts")
    .description("show a running job on the whole terminal, live; q quits")
    .option("--interval <seconds>", "between two looks at the job", interval, 1)
    .option("--once", "print one frame, for scripts")
    .action(async (job, options, command) => (await import("./top.ts")).top({ ...options, ...meant(job, command) }));
}
