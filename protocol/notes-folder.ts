/** Of a build of the site: the pages with the notes for the instructor in them. What begins with a dot is never served as a file. */
export const NOTES_FOLDER = '.instructor';
