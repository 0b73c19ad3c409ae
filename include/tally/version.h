/**
 * @file
 * What the headers of this build are; tally_version() says what the library is.
 */
#ifndef TALLY_VERSION_H
#define TALLY_VERSION_H

/** The version of Tally, major.minor.patch. */
#define TALLY_VERSION "0.3.0"

#endif
