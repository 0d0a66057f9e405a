/**
 * How deep a text is nested, counted before it is parsed. What goes down into it recursively would come to the end of the
 * stack, and there V8 may end the process, with nothing to catch (a regular expression that it compiles there).
 */
import { Lexer } from "yaml";

/** Far more than any file of ours, or model of others, has. */
const most = 100;
/** Of YAML's blocks: every level is further to the right. */
const mostIndent = 200;

/** @throws SyntaxError as JSON.parse, and where brackets are nested more than a hundred deep */
export function parseJson(text: string): unknown {
  let [depth, isText] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) isText = !isText;
    else if (isText) at += code === 0x5c ? 1 : 0;
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    if (depth > most) throw new SyntaxError(`it is nested more than ${most} deep`);
  }
  return JSON.parse(text);
}

/** YAML's words, one after another: a text in quotes, or plain, is one, and comes after a mark. */
const textFollows = "\u001f";
/** That a document begins, or a flow ends by a mistake, and the mark of byte order. */
const notes = ["\u0002", "\u0018", "\ufeff"];

/**
 * Whether YAML goes beyond what is parsed safely: by brackets, by indentation, by dashes and questions in one line, by
 * aliases of what has aliases.
 */
export function isNestedTooDeep(yaml: string): boolean {
  let [depth, inLine, anchors, isLineBegin, isText] = [0, 0, 0, true, false];
  for (const word of new Lexer().lex(yaml)) {
    if (isText) isText = false;
    else if (notes.includes(word)) continue;
    else if (word === textFollows) isText = true;
    else if (word === "[" || word === "{") depth += 1;
    else if (word === "]" || word === "}") depth = Math.max(0, depth - 1);
    else if ("-?:".includes(word) && depth === 0) inLine += 1;
    else if (word.startsWith("&")) anchors += 1;
    else if (isLineBegin && word.trim() === "" && word.length > mostIndent) return true;
    if (depth > most || inLine > most || anchors > most) return true;
    isLineBegin = word.endsWith("\n");
    if (isLineBegin) inLine = 0;
  }
  return false;
}
