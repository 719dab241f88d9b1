/** Around a note for the instructor in a page as it is rendered. Text of a page cannot be like them: it has no `<`. */
export const NOTE_BEGINS = '<!--instructor-->';
export const NOTE_ENDS = '<!--/instructor-->';
