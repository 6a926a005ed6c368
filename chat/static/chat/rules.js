// The rules about one message, as the server has them (chat/rules.py). The server judges; this only says so sooner.
// tests/chat/rule_cases.json holds the cases that both must decide alike.

const MAX_CHARACTERS = 1000;
// Python's white space; JavaScript's own differs in a few.
const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
const APOSTROPHES = /['\u2019\u02bc`]/gu;
const NOT_LETTERS = /[^\p{L}\p{N}]+/gu;

export function countWords(text) {
  return text.split(SPACES).filter(Boolean).length;
}

// Letters and digits in lower case, parted by single spaces.
export function normalise(text) {
  return text.normalize("NFKC").toLowerCase().replace(APOSTROPHES, "").replace(NOT_LETTERS, " ").trim();
}

export function copiesPersona(text, personas) {
  const message = ` ${normalise(text)} `;
  return personas.map(normalise).some((sentence) => sentence && message.includes(` ${sentence} `));
}

// The first rule that the text breaks, as {code, reason}, or null.
export function checkMessage(text, maxWords, personas) {
  const words = countWords(text);
  const characters = [...text].length;
  if (!words) return { code: "empty", reason: "Please write something." };
  if (words > maxWords) return { code: "too_long", reason: `${words} words; please use at most ${maxWords}.` };
  if (characters > MAX_CHARACTERS) {
    return { code: "too_long", reason: `${characters} characters; please use at most ${MAX_CHARACTERS}.` };
  }
  if (copiesPersona(text, personas)) {
    return { code: "persona_copy", reason: "Please use your own words instead of copying your character's." };
  }
  return null;
}
