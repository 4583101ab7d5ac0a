// Plain references of the reduce kernels, with double accumulators: the oracle of their tests.
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace ranvier::reference {

// As reduce_lookup's kernels, for all indices: [outer, reduce, inner] in, [outer, inner] out. False when (op,
// dtype) is not offered.
bool reduce(ReduceOp op, DType dtype, std::int64_t outer, std::int64_t reduce, std::int64_t inner,
            const void* in, void* out);
// As arg_reduce_lookup's kernels; indices are written as int64.
bool arg_reduce(bool largest, DType dtype, std::int64_t outer, std::int64_t reduce, std::int64_t inner,
                const void* in, std::int64_t* out);

}  // namespace ranvier::reference
