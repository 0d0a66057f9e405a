/**
 * Exit code 0 where the process that this container was started for answers. `--http` says where; docker's health checks are told
 * nothing, so its command line is read. Whatever serves nothing, `limbeck submit` for one, has nothing to be asked.
 */
import { readFileSync } from "node:fs";
import { get } from "node:http";

const timeoutMs = 3000;
const [commandLine = "/proc/1/cmdline"] = process.argv.slice(2);
const words = readFileSync(commandLine, "utf8").split("\0");

const at = words.findIndex((word) => word === "--http" || word.startsWith("--http="));
const told = at < 0 ? null : (words[at].split("=")[1] ?? words[at + 1]);
const endpoint = told ?? (words.includes("coordinator") ? "127.0.0.1:7071" : null);
if (endpoint === null) process.exit(0);

// Whoever listens everywhere listens here.
const asked = endpoint.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, "127.0.0.1");
const request = get(`http://${asked}/healthz`, { timeout: timeoutMs, agent: false }, (response) => {
  response.resume();
  if (response.statusCode === 200) return;
  console.log(`${asked}/healthz answers ${response.statusCode}`);
  process.exitCode = 1;
});
request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
request.on("error", ({ message }) => {
  console.log(`${asked}/healthz: ${message}`);
  process.exitCode = 1;
});
