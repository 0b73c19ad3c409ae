/**
 * @file
 * How every function of the library says that something went wrong.
 *
 * A function that can fail returns 0 (TALLY_OK) or a code, and writes its outputs only when it returns 0. Its last
 * parameter is a tally_error of the caller, or NULL: where and why, for people.
 */
#ifndef TALLY_ERROR_H
#define TALLY_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the shared library exports. */
#define TALLY_API __attribute__((visibility("default")))

/** What went wrong. Codes are never renumbered; new ones come at the end. */
typedef enum tally_code {
    TALLY_OK = 0,        /**< nothing */
    TALLY_ERR_CHECK,     /**< a check does not hold */
    TALLY_ERR_USAGE,     /**< wrong usage */
    TALLY_ERR_SYNTAX,    /**< malformed input */
    TALLY_ERR_TYPE,      /**< wrong type */
    TALLY_ERR_RANGE,     /**< value out of range */
    TALLY_ERR_MISSING,   /**< something required is missing */
    TALLY_ERR_DUPLICATE, /**< given twice */
    TALLY_ERR_UNKNOWN,   /**< unknown name */
    TALLY_ERR_LIMIT,     /**< a limit is exceeded */
    TALLY_ERR_OVERFLOW,  /**< arithmetic overflow */
    TALLY_ERR_ENCODING,  /**< bad text encoding */
    TALLY_ERR_CANONICAL, /**< not in canonical form */
    TALLY_ERR_CORRUPT,   /**< damaged */
    TALLY_ERR_VERSION,   /**< unknown version */
    TALLY_ERR_NOT_FOUND, /**< not found */
    TALLY_ERR_REFUSED,   /**< refused */
    TALLY_ERR_LOCKED,    /**< locked by another process */
    TALLY_ERR_STATE,     /**< not possible in this state */
    TALLY_ERR_FUNDS,     /**< not enough funds */
    TALLY_ERR_IO,        /**< input or output failed */
    TALLY_ERR_NOMEM,     /**< out of memory */
    TALLY_ERR_INTERNAL   /**< internal error */
} tally_code;

/** Where and why. The caller's; a function that returns 0 leaves it alone. */
typedef struct tally_error {
    int code;          /**< as it was returned */
    char field[192];   /**< path of the field, "fields[2].type"; "" if unknown */
    char message[448]; /**< for the person who must act */
    char hint[192];    /**< advice; "" if there is none */
} tally_error;

/** The name of a code.
 * @param code what a function returned
 * @return "TL_OK", "TL_ERR_RANGE" and so on; static text */
TALLY_API const char *tally_code_name(int code);

/** The library that runs, which may be newer than the headers.
 * @return "0.3.0"; static text */
TALLY_API const char *tally_version(void);

#ifdef __cplusplus
}
#endif

#endif
