/* libpq by name: loaded when the first server is asked for, since it brings LDAP and Kerberos with it (decision 012 says
 * what such a thing costs every command). The types are its header's, so a wrong call does not compile. */
#ifndef TALLY_IO_SQL_PQ_H
#define TALLY_IO_SQL_PQ_H

#include <postgresql/libpq-fe.h> /* where Debian has it; its own includes lie beside it */

#include "base/error/error.h"

#define TL__PQ_MAP(X)                                                                              \
    X(conninfoParse)                                                                               \
    X(conninfoFree)                                                                                \
    X(freemem)                                                                                     \
    X(connectdbParams)                                                                             \
    X(finish)                                                                                      \
    X(status)                                                                                      \
    X(errorMessage)                                                                                \
    X(serverVersion)                                                                               \
    X(socket)                                                                                      \
    X(setnonblocking)                                                                              \
    X(setNoticeProcessor)                                                                          \
    X(sendQuery)                                                                                   \
    X(sendPrepare)                                                                                 \
    X(sendQueryPrepared)                                                                           \
    X(flush)                                                                                       \
    X(consumeInput)                                                                                \
    X(isBusy)                                                                                      \
    X(getResult)                                                                                   \
    X(resultStatus)                                                                                \
    X(resultErrorField)                                                                            \
    X(clear)                                                                                       \
    X(ntuples)                                                                                     \
    X(nfields)                                                                                     \
    X(fname)                                                                                       \
    X(ftype)                                                                                       \
    X(getvalue)                                                                                    \
    X(getlength)                                                                                   \
    X(getisnull)                                                                                   \
    X(cmdStatus)                                                                                   \
    X(cmdTuples)

typedef struct tl__pq {
#define TL__PQ_MEMBER(name) __typeof__(&(PQ##name)) name;
    TL__PQ_MAP(TL__PQ_MEMBER)
#undef TL__PQ_MEMBER
} tl__pq;

/* tl__pq_load: the functions, from any thread. IO: there is no libpq.so.5. */
TL_MUST_USE tl_err tl__pq_load(const tl__pq **out, tl_errctx *ctx);

#endif
