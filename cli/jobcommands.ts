/** The commands of a service's jobs. */
import { type Command, Option } from "commander";
import type { JobAction } from "../core/jobstate.ts";
import { collect, printing, priority } from "./options.ts";
import { placeOf, usualCoordinator, withPlace } from "./place.ts";

const whichJob = "a job's id, the beginning of one, or its name";

export function addJobs(limbeck: Command): void {
  const command = (name: string, what: string) => withPlace(printing(limbeck.command(name), what));
  const at = (command: Command) => placeOf(command, usualCoordinator);

  command("submit", "json: the id and state as a line, then progress events as JSON lines")
    .description("give a job to a service, and show it to its end; Ctrl-C leaves it running")
    .argument("<job.yaml>", "the job file")
    .option(
      "--name <name>",
      "of the job, instead of the one in the file: the same job under the same name is submitted once, until it fails or is cancelled",
    )
    .addOption(new Option("--priority <n>", "-100 to 100, higher is first").argParser(priority).default(0))
    .option("--set <key.path=value>", "change a field of the job; may be repeated", collect, [])
    .option("--no-wait", "end as soon as it is taken")
    .option("--quiet", "no progress, only errors")
    .action(async (file, options, command) =>
      (await import("./submit.ts")).submit(file, { ...options, at: at(command) }),
    );

  command("list", "json: a list of the jobs")
    .description("list the jobs of a service: those that run, those that wait and why")
    .option("--all", "those that are over, too")
    .action(async (options, command) => (await import("./jobs.ts")).list({ ...options, at: at(command) }));

  const controls: readonly (readonly [JobAction, string])[] = [
    ["cancel", "end a job of a service for good; what it has done stays"],
    ["pause", "stop a job of a service after a last checkpoint, until it is resumed; its workers go to others"],
    ["resume", "let a paused job of a service go on where it was"],
    ["delete", "take a job that is over from the list, and all that it has left: models, report, checkpoints"],
  ];
  for (const [action, description] of controls) {
    command(action, "json: the job's id, its state and why")
      .description(description)
      .argument("<job>", whichJob)
      .option("--why <text>", "told to everybody who looks at the job", "")
      .action(async (job, options, command) =>
        (await import("./jobs.ts")).control(action, { ...options, job, at: at(command) }),
      );
  }

  command("artifacts", "json: the files with their sizes; with --fetch what was fetched")
    .description("list what a job of a service has left behind: models, report, checkpoints; or fetch it")
    .argument("<job>", whichJob)
    .option("--fetch <dir>", "into this folder; what is there already, of the same size, is not fetched again")
    .action(async (job, options, command) =>
      (await import("./artifacts.ts")).artifacts({ ...options, job, at: at(command) }),
    );
}
