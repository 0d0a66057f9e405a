/** The commands and their options; what each does is loaded when it is called. */
import { Command, Option } from "commander";
import { natsAuthorityVariable, natsCredentialsVariable } from "../proto/cluster.ts";
import { packageVersion } from "../proto/package.ts";
import { addJobs } from "./jobcommands.ts";
import {
  collect,
  collectCounts,
  commaSeparated,
  endpoint,
  engineChoice,
  exitCode,
  lasting,
  logFormat,
  positive,
  printing,
  processName,
} from "./options.ts";
import { clusterOption, natsAuthority, natsCredentials, placeOf, withPlace } from "./place.ts";
import { withPages } from "./ports.ts";
import { addQuestions } from "./questions.ts";
import { addSecrets } from "./secretcommands.ts";
import { withSecurity, withTokenKeys } from "./security.ts";

interface SchemaOptions {
  readonly markdown?: boolean;
  readonly metrics?: boolean;
  readonly events?: boolean;
  readonly output?: "json";
}

export function program(): Command {
  const limbeck = new Command("limbeck")
    .description(
      "Distributed knowledge distillation: train a teacher, distil it into a student, see what it was worth.",
    )
    .version(packageVersion)
    .exitOverride()
    .hook("preAction", (_, command) => {
      const { natsCreds, natsCa } = command.opts<{ natsCreds?: string; natsCa?: string }>();
      if (natsCreds !== undefined) process.env[natsCredentialsVariable] = natsCreds;
      if (natsCa !== undefined) process.env[natsAuthorityVariable] = natsCa;
    })
    .showHelpAfterError("(limbeck --help shows what there is)");

  printing(limbeck.command("run"), "json: progress events as JSON lines on stdout")
    .description("run a job on this machine: a coordinator and its workers, on loopback")
    .argument("<job.yaml>", "the job file")
    .option("--out <dir>", "folder of the results (default: runs/<job>-<time>)")
    .option("--resume <dir>", "go on with the run in this folder, from its last checkpoint")
    .option("--students <n>", "student workers, instead of the job's", positive)
    .option("--teachers <n>", "teacher workers, instead of the job's", positive)
    .option(
      "--auto <n>",
      "workers in all; the coordinator makes students and teachers of them, as is fastest",
      positive,
    )
    .option("--set <key.path=value>", "change a field of the job; may be repeated", collect, [])
    .option("--engine <choice>", "compute engine: auto, tensorflow, gpu or wasm, instead of the job's", engineChoice)
    .option("--no-doctor", "begin without the checks of teacher, student and their path, and without canaries")
    .option(
      "--http <host:port>",
      "where the live page, /metrics, /targets, /healthz, /readyz and /state are served",
      endpoint,
      {
        host: "127.0.0.1",
        port: 0,
      },
    )
    .option("--quiet", "no progress, only errors")
    .action(async (file, options) => (await import("./run.ts")).run(file, options));

  printing(limbeck.command("doctor"), "json: the report of the engine, or the findings")
    .description(
      "say which compute engine this machine has, and how fast it is; of a job, or of a NATS server, what is wrong with it",
    )
    .argument(
      "[job.yaml]",
      "the job file: its teacher, student and dataset are examined, and a loaded teacher's answers",
    )
    .option("--set <key.path=value>", "change a field of the job; may be repeated", collect, [])
    .option("--engine <choice>", "the engine to check (default: auto), or instead of the job's", engineChoice)
    .option("--threads <n>", "compute threads (default: 1), or instead of the job's", positive)
    .addOption(
      new Option(
        "--nats <url,…>",
        "NATS servers to examine instead: version, JetStream, limits, permissions, streams, replicas, clock",
      ).argParser(commaSeparated),
    )
    .addOption(natsCredentials())
    .addOption(natsAuthority())
    .addOption(clusterOption())
    .action(async (file, options) => (await import("./doctor.ts")).doctor(file, options));

  printing(limbeck.command("plan"), "json: the plan with all that was measured")
    .description(
      "measure a job's models on this machine for half a minute, and say how long it takes with which workers",
    )
    .argument("<job.yaml>", "the job file")
    .option(
      "--workers <n>",
      "another number of workers, students and teachers together; may be repeated",
      collectCounts,
      [],
    )
    .option("--set <key.path=value>", "change a field of the job; may be repeated", collect, [])
    .option("--save", "keep what was measured beside the job file: the report of a run then says what was predicted")
    .action(async (file, options) => (await import("./plan.ts")).plan(file, options));

  const cache = limbeck
    .command("cache")
    .description("the soft targets kept on disk: see them, check them, remove them")
    .exitOverride();
  const inFolder = (name: string, description: string) =>
    printing(cache.command(name), "json: the stores, each with its key")
      .description(description)
      .option("--dir <dir>", "the folder, where a job's softTargets.cache.dir names another than the usual one");
  inFolder("ls", "list the stores").action(async (options) => (await import("./cache.ts")).list(options));
  inFolder("verify", "check the checksum of every record")
    .argument("[id...]", "stores, or the beginnings of their ids; all, if none is named")
    .action(async (ids, options) => (await import("./cache.ts")).verify(ids, options));
  inFolder("rm", "remove stores")
    .argument("[id...]", "stores, or the beginnings of their ids")
    .option("--all", "every store of the folder")
    .action(async (ids, options) => (await import("./cache.ts")).remove(ids, options));

  limbeck
    .command("report")
    .description("draw the report of a run that is over again; of several, one page with them side by side")
    .argument("<dir...>", "folders of runs")
    .addOption(
      new Option("-o, --output <format>", "html: a page; json: the figures, on stdout")
        .choices(["html", "json"])
        .default("html"),
    )
    .option("--to <file>", "the page of several runs", "comparison.html")
    .action(async (folders, options) => (await import("./report.ts")).report(folders, options));

  limbeck
    .command("schema")
    .description("print the JSON Schema of job files")
    .option("--markdown", "the reference page instead")
    .option("--metrics", "the reference page of the metrics instead; with -o json their definitions")
    .option("--events", "the reference page of the events instead; with -o json their definitions")
    .addOption(
      new Option("-o, --output <format>", "json: what it prints anyway").choices(["json"]).conflicts("markdown"),
    )
    .action(async ({ markdown, metrics, events, output }: SchemaOptions) => {
      if (events) {
        const { eventsDefinitions, eventsReference } = await import("./eventsreference.ts");
        process.stdout.write(output ? `${JSON.stringify(eventsDefinitions(), null, 2)}\n` : eventsReference());
        return;
      }
      if (metrics) {
        const { metricsDefinitions, metricsReference } = await import("./metricsreference.ts");
        process.stdout.write(output ? `${JSON.stringify(metricsDefinitions(), null, 2)}\n` : metricsReference());
        return;
      }
      const { jobJsonSchema, jobReference } = await import("./schema.ts");
      process.stdout.write(markdown ? jobReference() : `${JSON.stringify(jobJsonSchema(), null, 2)}\n`);
    });

  addJobs(limbeck);
  addQuestions(limbeck);
  addSecrets(limbeck);

  withPages(withTokenKeys(withSecurity(limbeck.command("coordinator"))))
    .description("coordinate a job, or, without a job file, be a service that takes jobs; workers join it")
    .argument("[job.yaml]", "the job file; without it, jobs come by `limbeck submit`")
    .requiredOption(
      "--state <dir>",
      "folder of the journal and the results; what is in it is gone on with. Of several coordinators, one that all of them see",
    )
    .option("--set <key.path=value>", "change a field of the job; may be repeated", collect, [])
    .option("--listen <host:port>", "where workers join", endpoint, { host: "127.0.0.1", port: 7070 })
    .option(
      "--http <host:port>",
      "where the live page, /metrics, /targets, /healthz, /readyz and /state are served",
      endpoint,
      {
        host: "127.0.0.1",
        port: 7071,
      },
    )
    .option(
      "--depot <url>",
      "where checkpoints, models and the report go when workers do not share the folder: s3://BUCKET/PREFIX, file:///FOLDER, or nats://HOST:PORT/CLUSTER",
    )
    .addOption(
      new Option("--nats <url,…>", "of a service: keep what must survive in NATS JetStream, where several can stand by")
        .env("LIMBECK_NATS")
        .argParser(commaSeparated),
    )
    .addOption(natsCredentials())
    .addOption(natsAuthority())
    .addOption(clusterOption())
    .option("--name <name>", "of a service: a name no other coordinator has (default: <host>:<port>)", processName)
    .option(
      "--advertise <host:port>",
      "of a service: where workers and other coordinators are told to reach this one (default: --listen)",
      endpoint,
    )
    .option("--allow-modules", "of a service: code that comes with a job (`module:`) may run on the workers")
    .option("--max-jobs <n>", "of a service: jobs that may wait, run or be paused at once (default: 10000)", positive)
    .option(
      "--standby",
      "of a service: say that another leads. Whoever starts while one leads stands by in any case, so it changes nothing",
    )
    .option(
      "--leave-code <code>",
      "of a job: exit code after SIGTERM, instead of 0; its workers join the next process, which goes on with it",
      exitCode,
    )
    .option("--failed-code <code>", "of a job: exit code where it has failed, and another process would, too", exitCode)
    .addOption(logFormat())
    .action(async (file, options, command) => {
      // The environment says where NATS is, which a coordinator of one job does not need.
      const isTold = command.getOptionValueSource("nats") === "cli";
      if (file === undefined) await (await import("./service.ts")).service(options);
      else await (await import("./coordinator.ts")).coordinator(file, { ...options, isNatsTold: isTold });
    });

  withPages(withTokenKeys(withPlace(limbeck.command("worker"))))
    .description("join a coordinator and compute")
    .option("--role <role>", "student, teacher or auto: the coordinator chooses", "auto")
    .option("--name <name>", "a name no other worker of the job has (default: <host>-<device>-<process>)", processName)
    .option(
      "--devices <which>",
      "all, cpu or numbers of GPUs such as 0,1: one process for each, restarted when it dies",
    )
    .option("--listen <host:port>", "where this one listens for other workers", endpoint, {
      host: "127.0.0.1",
      port: 0,
    })
    .option("--advertise <host:port>", "where other workers are told to reach this one (default: --listen)", endpoint)
    .option("--http <host:port>", "where /metrics and /healthz are served", endpoint, { host: "127.0.0.1", port: 0 })
    .option("--state <dir>", "folder of the logs of the worker processes, which are then restarted when they die")
    .option(
      "--leave-code <code>",
      "exit code after SIGTERM, instead of 0, which a Kubernetes Job takes for the end of its work",
      exitCode,
    )
    .option(
      "--patience <length>",
      "how long to look for a coordinator, such as 90s, 10m or 2h (default: 10m, and 20s for the first at an address)",
      lasting,
    )
    .option("--alone-code <code>", "exit code where none is found in that time, instead of 1", exitCode)
    .addOption(logFormat())
    .action(async (options, command) => {
      const { role, name, devices, state, listen, advertise, http, httpTokenFile, health, output } = options;
      const { leaveCode, patience, aloneCode } = options;
      const listening = { listen, advertise, http, httpTokenFile, health };
      const own = { role, name, devices, state, ...listening, output, leaveCode, patience, aloneCode };
      await (await import("./worker.ts")).worker({ ...own, at: placeOf(command, null) });
    });

  return limbeck;
}
