// Plain references of the random kernels, on the host's Philox and the C library's functions in double: the
// oracle of their tests. Element i of the stream.
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace ranvier::reference {

float random_uniform_f32(RandomKey key, std::int64_t i);
double random_uniform_f64(RandomKey key, std::int64_t i);
double random_normal_f32(RandomKey key, std::int64_t i);
double random_normal_f64(RandomKey key, std::int64_t i);
double truncated_normal_f32(RandomKey key, std::int64_t i);
double truncated_normal_f64(RandomKey key, std::int64_t i);
std::int64_t random_integer(RandomKey key, std::int64_t i, std::int64_t low, std::int64_t high);

}  // namespace ranvier::reference
