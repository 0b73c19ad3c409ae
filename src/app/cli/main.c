/* The program's door: everything is in app.c, which the tests can link. */
#include "app/cli/cli.h"

int main(int argc, char **argv)
{
    return tl_cli_main(argc, argv);
}
