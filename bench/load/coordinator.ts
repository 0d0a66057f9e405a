/** A child process of a benchmark: a coordinator of the service, on a folder or on NATS, that says what it uses. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { openFolderStore } from "../../coordinator/folder/store.ts";
import { openNatsStore } from "../../coordinator/nats/store.ts";
import { startService } from "../../coordinator/service/main.ts";
import { connectNats } from "../../proto/nats.ts";
import { openLog, silent } from "../../proto/telemetry/log.ts";

/** What the process has used so far. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMebibytes: number;
  /** The longest that its event loop was held up, in ms, since it was last asked. */
  readonly longestHoldMs: number;
}

export interface CoordinatorReady {
  readonly address: string;
  readonly httpAddress: string;
  /** From the start of the process to its leading. */
  readonly seconds: number;
}

const [state = "", nats = "", isTold = ""] = process.argv.slice(2);
const log = isTold === "log" ? openLog("coordinator", { output: "json" }) : silent;
const anywhere = { host: "127.0.0.1", port: 0 };
const store = nats
  ? openNatsStore({ nats: await connectNats({ urls: [nats], name: "bench" }), cluster: "bench", log })
  : openFolderStore(state);
let leads = () => {};
const leading = new Promise<void>((resolve) => {
  leads = resolve;
});
const { lead } = store;
const service = await startService({
  ...{ name: "bench", state, depot: null, allowsModules: false, log },
  ...{ listen: anywhere, http: anywhere },
  store: {
    ...store,
    async lead(own, options) {
      const leadership = await lead(own, options);
      const journal: typeof leadership.journal = async (name) => {
        const opened = await leadership.journal(name);
        // Of the service: the last thing that is read before it decides.
        if (name === "service") setImmediate(leads);
        return opened as never;
      };
      return { ...leadership, journal };
    },
  },
});
await leading;

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on("message", (asked) => {
  if (asked === "close") {
    void service.close("the benchmark is over").then(() => process.exit());
    return;
  }
  const { user, system } = process.cpuUsage();
  const usage: Usage = {
    cpuSeconds: (user + system) / 1e6,
    residentMebibytes: process.memoryUsage.rss() / 2 ** 20,
    longestHoldMs: delay.max / 1e6,
  };
  delay.reset();
  process.send!(usage);
});
process.on("disconnect", () => process.exit());
const ready: CoordinatorReady = {
  address: service.address,
  httpAddress: service.httpAddress,
  seconds: performance.now() / 1_000,
};
process.send!(ready);
