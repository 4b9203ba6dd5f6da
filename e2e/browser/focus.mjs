// Checks that the outline of what has the focus can be seen whole.

/**
 * Moves the focus to each element of a page that takes it. Returns those whose outline is cut off by an element around them or by the edge
 * of the window, or is covered by something else.
 */
export const hiddenOutlines = (page) =>
  page.evaluate(() => {
    const number = (text) => Number.parseFloat(text) || 0;
    /** Returns the part of an element in which its content is painted; undefined if it cuts off nothing. */
    const clipOf = (element) => {
      const { overflowX, overflowClipMargin, borderLeftWidth, borderTopWidth, borderRightWidth, borderBottomWidth } = getComputedStyle(element);
      if (overflowX === "visible") return undefined;
      const box = element.getBoundingClientRect();
      const more = overflowX === "clip" ? number(overflowClipMargin) : 0;
      return { left: box.left + number(borderLeftWidth) - more, top: box.top + number(borderTopWidth) - more, right: box.right - number(borderRightWidth) + more, bottom: box.bottom - number(borderBottomWidth) + more };
    };
    const found = [];
    const before = document.activeElement;
    for (const element of document.querySelectorAll("a[href]:not([tabindex='-1']), button, input, select, textarea, summary, [tabindex='0']")) {
      element.focus({ focusVisible: true });
      if (document.activeElement !== element) continue;
      const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(element);
      if (outlineStyle === "none") continue;
      const room = Math.max(0, number(outlineWidth) + number(outlineOffset));
      const clips = [{ left: 0, top: 0, right: innerWidth, bottom: innerHeight }];
      for (let around = element.parentElement; around && around !== document.documentElement; around = around.parentElement) clips.push(clipOf(around) ?? clips[0]);
      for (const box of element.getClientRects()) {
        const isCut = clips.some(({ left, top, right, bottom }) => box.left - room < left - 0.6 || box.top - room < top - 0.6 || box.right + room > right + 0.6 || box.bottom + room > bottom + 0.6);
        // An element that is higher than its window cannot be seen whole, and of a text area the browser shows where the text is typed.
        const isHigh = element.matches("textarea") || clips.some(({ top, bottom }) => box.height + 2 * room > bottom - top);
        const over = document.elementFromPoint(box.left + box.width / 2, Math.max(box.top, 0) + 2);
        const isCovered = over !== null && !element.contains(over) && !over.contains(element) && !over.closest("label")?.contains(element);
        if ((isCut && !isHigh) || isCovered) found.push(`${isCovered ? "covered" : "cut"}: ${element.outerHTML.slice(0, 120)} in ${element.parentElement.className}`);
      }
    }
    if (before instanceof HTMLElement) before.focus();
    return found;
  });
