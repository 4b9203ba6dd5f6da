/** Returns an id for a sentence: in quotation marks if it has spaces, so that it does not look like several words. */
export const named = (id: string): string => (/\s/.test(id) ? `“${id}”` : id);
