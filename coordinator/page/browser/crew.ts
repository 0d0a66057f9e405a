/** The section on the workers: the picture, and a table of a page at a time. */
import type { WorkerRow } from "../../../core/live/message.ts";
import { bytesText, counted, whole } from "../../../core/words.ts";
import { byId, type Cell, fillRows, setAttribute, setText } from "./dom.ts";
import type { Model } from "./model.ts";
import { type Crew, colourOf, Picture } from "./picture.ts";

const rowsOfPage = 25;
const namedInWords = 12;
const byName = new Intl.Collator("en", { numeric: true });

export function createCrew() {
  const filter = byId<HTMLInputElement>("workerFilter");
  const [back, on] = [byId<HTMLButtonElement>("workersBack"), byId<HTMLButtonElement>("workersOn")];
  const canvas = byId<HTMLCanvasElement>("picture");
  const picture = new Picture(canvas, (worker) => setText(byId("picked"), told(worker)));
  let crew: Crew = { lanes: 0, students: [], teachers: [], others: [] };
  let page = 0;

  const showTable = () => {
    const wanted = filter.value.toLowerCase();
    const isFound = ({ worker, role, state }: WorkerRow) => `${worker} ${role} ${state}`.toLowerCase().includes(wanted);
    const found = [...crew.students, ...crew.others, ...crew.teachers].filter(isFound);
    page = Math.max(0, Math.min(page, Math.ceil(found.length / rowsOfPage) - 1));
    const shown = found.slice(page * rowsOfPage, (page + 1) * rowsOfPage);
    fillRows(
      byId("workerRows"),
      shown.map((worker) => cells(crew, worker)),
    );
    const first = page * rowsOfPage + 1;
    setText(
      byId("workersShown"),
      shown.length === 0 ? "none" : `${first} to ${first + shown.length - 1} of ${found.length}`,
    );
    back.disabled = page === 0;
    on.disabled = (page + 1) * rowsOfPage >= found.length;
  };
  const turn = (by: number) => () => {
    page += by;
    showTable();
  };
  back.addEventListener("click", turn(-1));
  on.addEventListener("click", turn(1));
  filter.addEventListener("input", showTable);

  return {
    show(model: Model) {
      crew = crewOf(model);
      setText(byId("crew"), summary(crew));
      setAttribute(canvas, "aria-label", inWords(crew));
      picture.draw(crew);
      showTable();
    },
    redraw: () => picture.draw(crew),
  };
}

function crewOf({ workers, history: { facts } }: Model): Crew {
  const all = [...workers.values()].sort((one, other) => byName.compare(one.worker, other.worker));
  const students = all.filter(({ role }) => role === "student");
  return {
    lanes: facts.started?.lanes ?? 0,
    students: students.filter(({ lanes }) => lanes > 0).sort((one, other) => one.firstLane - other.firstLane),
    teachers: all.filter(({ role }) => role === "teacher"),
    others: students.filter(({ lanes }) => lanes === 0),
  };
}

function summary({ lanes, students, teachers, others }: Crew): string {
  const spare = others.length > 0 ? `, ${counted(others.length, "student")} without lanes` : "";
  return `${counted(lanes, "lane")} held by ${counted(students.length, "student")}, ${counted(teachers.length, "teacher")}${spare}.`;
}

/** The picture for who does not see it; the table has the rest. */
function inWords(crew: Crew): string {
  const named = crew.students.slice(0, namedInWords).map((worker) => `${worker.worker} ${lanesText(worker)}`);
  const more = crew.students.length - named.length;
  return `${summary(crew)} ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function lanesText({ firstLane, lanes }: WorkerRow): string {
  return lanes === 0 ? "–" : lanes === 1 ? String(firstLane) : `${firstLane}–${firstLane + lanes - 1}`;
}

function doingText({ doing, waitingFor, silentSeconds }: WorkerRow): string {
  const silent = silentSeconds > 0 ? `silent for ${silentSeconds} s; ` : "";
  return `${silent}${waitingFor ? `waits for ${waitingFor}` : doing}`;
}

function told(worker: WorkerRow): string {
  const lanes = worker.lanes > 0 ? `, lanes ${lanesText(worker)}` : "";
  const engine = worker.engine ? `, ${worker.engine}` : "";
  return `${worker.worker}: ${worker.role}${lanes}, ${worker.state}, ${doingText(worker)}${engine}`;
}

function cells(crew: Crew, worker: WorkerRow): Cell[] {
  const { role, state, step, mebibytes, millisecondsPerLane, examplesPerSecond, queuedExamples } = worker;
  const isTeacher = role === "teacher";
  const orNone = (value: number | null) => (value === null ? "–" : String(value));
  return [
    { text: worker.worker, colour: colourOf(crew, worker) },
    ...[role, state, doingText(worker), isTeacher ? "–" : whole.format(step), lanesText(worker)],
    ...[isTeacher ? "–" : orNone(millisecondsPerLane)],
    ...[isTeacher && examplesPerSecond !== null ? whole.format(examplesPerSecond) : "–"],
    ...[isTeacher ? whole.format(queuedExamples) : "–", bytesText(mebibytes * (1 << 20))],
  ];
}
