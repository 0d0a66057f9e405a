/** The command line: `limbeck COMMAND`. Exit codes: 0 done, 1 failed, 2 bad usage or job file; 130 a job left to go on by itself; or what a command says. */
import { CommanderError } from "commander";
import { asLimbeckError, type LimbeckError } from "../core/errors.ts";
import { plainLines } from "../core/plaintext.ts";
import { program } from "./program.ts";

/** One sentence for what the user did or met, which others may have written; the stack only for a broken invariant of our own. */
function explain(error: LimbeckError): string {
  const cause = error.code === "internal" && error.cause instanceof Error ? `\n${error.cause.stack}` : "";
  return `${plainLines(`limbeck: ${error.message}${cause}`)}\n`;
}

// Whoever read our output has gone (`| head`): what is under way goes on without it.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await program().parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? 0 : 2; // Commander has printed what was wrong.
  } else {
    const error = asLimbeckError(thrown);
    process.stderr.write(explain(error));
    process.exitCode ??= error.exitCode;
  }
}
