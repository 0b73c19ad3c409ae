/* cert: a certificate for tests, of its own making, in files below a fresh folder. */
#ifndef TALLY_IO_NET_TLS_TEST_CERT_H
#define TALLY_IO_NET_TLS_TEST_CERT_H

typedef struct test_cert {
    char dir[64];
    char cert_file[96];
    char key_file[96];
    char other_key_file[96]; /* of another pair */
} test_cert;

void test_cert_make(test_cert *out, const char *dns_name, const char *ip); /* asserts that it can */
void test_cert_remove(const test_cert *cert);

#endif
