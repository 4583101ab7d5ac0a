// Plain references of the pooling kernels, with wide accumulators: the oracle of their tests. Arguments as in
// kernels.def, for T = float and double.
#pragma once

#include "kernels/types.h"

namespace ranvier::reference {

template <class T>
void max_pool(ImageWindows windows, std::int64_t begin, std::int64_t end, const T* x, T* out);
template <class T>
void average_pool(ImageWindows windows, std::int64_t begin, std::int64_t end, const T* x, T* out);
template <class T>
void max_pool_pick(ImageWindows windows, std::int64_t begin, std::int64_t end, const T* x, const T* h, T* out);
template <class T>
void max_pool_grad(ImageWindows windows, ImageBox box, const T* x, const T* g, T* dx);
template <class T>
void average_pool_grad(ImageWindows windows, ImageBox box, const T* g, T* dx);

}  // namespace ranvier::reference
