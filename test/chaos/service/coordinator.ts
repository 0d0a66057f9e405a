/** A coordinator of a service as a process of its own, which records when it decides: NAME STATE LISTEN HTTP NATS RECORD. */
import { openNatsStore } from "../../../coordinator/nats/store.ts";
import { startService } from "../../../coordinator/service/main.ts";
import { connectNats } from "../../../proto/nats.ts";
import { openLog } from "../../../proto/telemetry/log.ts";
import { recorded } from "./recorded.ts";

const [name = "", state = "", listen = "", http = "", urls = "", record = ""] = process.argv.slice(2);
const endpoint = (text: string) => ({ host: text.split(":")[0]!, port: Number(text.split(":")[1]) });
const log = openLog(name, { output: "json" });
const nats = await connectNats({ urls: urls.split(","), name, deadlineMs: 120_000 });
const store = recorded(openNatsStore({ nats, cluster: "default", log }), `${name} (${process.pid})`, record);
const given = { depot: null, allowsModules: false, log };
const service = await startService({ name, state, listen: endpoint(listen), http: endpoint(http), store, ...given });
process.once("SIGTERM", () => void service.close("SIGTERM"));
await service.finished;
