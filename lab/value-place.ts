/** Where a value's text is to stand, in an action and in a page's block: `{value-id}`. */
export const VALUE_PLACE = /\{([a-z0-9][a-z0-9-]*)\}/g;
