/** A coordinator that goes away while a command waits for what it says: told once, and once that it is back (L7). */

export interface Absence {
  away(): void;
  back(): void;
}

/** @param hint what the user can do meanwhile; `before` is called before something is said */
export function sayOfAbsence(hint: string, before: () => void = () => {}): Absence {
  let isAway = false;
  const say = (text: string) => {
    before();
    process.stderr.write(`limbeck: ${text}\n`);
  };
  return {
    away() {
      if (!isAway) say(`the coordinator does not answer; waiting for it (${hint})`);
      isAway = true;
    },
    back() {
      if (isAway) say("the coordinator is back");
      isAway = false;
    },
  };
}
