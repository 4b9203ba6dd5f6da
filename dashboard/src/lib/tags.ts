// Tags in a text: in the address of a list, and in a field. Commas separate them. A tag that has a comma is in double quotes.

/** One tag: in quotes, in which two quotes stand for one, or up to a comma. */
const TAG = /\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(,|$)/y;

/** Reads tags. A tag that is empty, such as after a comma at the end, is an empty text. */
export function readTags(text: string): string[] {
  const tags: string[] = [];
  TAG.lastIndex = 0;
  for (;;) {
    const found = TAG.exec(text);
    if (!found) return tags;
    const [, quoted, plain = "", comma] = found;
    tags.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    if (comma === "") return tags;
  }
}

/** Writes a tag so that it is read as it is. */
export const writeTag = (tag: string): string => (/[,"]|^\s|\s$/.test(tag) ? `"${tag.replaceAll('"', '""')}"` : tag);

export const writeTags = (tags: readonly string[]): string => tags.map(writeTag).join(", ");
