/**
 * @file
 * All of the library.
 *
 * @mainpage Tally
 * A C library for miners and validators: keys and wallets (key.h), definitions of messages (synapse.h), a server and a
 * client for signed requests (axon.h, dendrite.h), the signatures alone (auth.h), and weights (weights.h). Errors are
 * those of error.h.
 *
 *     cc miner.c $(pkg-config --cflags --libs tally)
 *
 * examples/ holds a miner and a validator.
 */
#ifndef TALLY_TALLY_H
#define TALLY_TALLY_H

#include <tally/auth.h>
#include <tally/axon.h>
#include <tally/dendrite.h>
#include <tally/error.h>
#include <tally/key.h>
#include <tally/synapse.h>
#include <tally/version.h>
#include <tally/weights.h>

#endif
