/* distance.c: how far apart two points of the earth are, without a library's sine. */
#include <math.h>

#include "core/listings/place/place.h"

#define METRES_PER_E6_DEGREE 0.11119508023353292 /* 6,371,008.8 m · π / 180 / 10^6 */
#define RADIANS_PER_E6       1.7453292519943296e-8
#define TURN_E6              INT64_C(360000000)

/* cos x for |x| <= π/2, by the series up to x^18: the next term is below 10^-14. */
static double cosine(double x)
{
    const double y = x * x;
    double sum = 1.0;
    for (int n = 18; n > 0; n -= 2) { /* 1 - y/(1·2) (1 - y/(3·4) (1 - …)) */
        sum = 1.0 - y / (double)(n * (n - 1)) * sum;
    }
    return sum;
}

uint32_t tl_place_metres(int32_t latitude_a_e6, int32_t longitude_a_e6, int32_t latitude_b_e6,
                         int32_t longitude_b_e6)
{
    int64_t dx = (int64_t)longitude_a_e6 - longitude_b_e6;
    dx = dx < 0 ? -dx : dx;
    dx %= TURN_E6;
    dx = dx > TURN_E6 / 2 ? TURN_E6 - dx : dx;
    const int64_t dy = (int64_t)latitude_a_e6 - latitude_b_e6;
    const double middle = (double)((int64_t)latitude_a_e6 + latitude_b_e6) / 2.0 * RADIANS_PER_E6;
    const double x = (double)dx * METRES_PER_E6_DEGREE * cosine(middle);
    const double y = (double)dy * METRES_PER_E6_DEGREE;
    const double metres = sqrt(x * x + y * y);
    TL_ASSERT(metres >= 0.0 && metres < 1e9);
    return (uint32_t)metres;
}

uint32_t tl_place_metres_to(const tl_place *place, int32_t latitude_e6, int32_t longitude_e6)
{
    return tl_place_metres(place->latitude_e4 * 100, place->longitude_e4 * 100, latitude_e6,
                           longitude_e6);
}
