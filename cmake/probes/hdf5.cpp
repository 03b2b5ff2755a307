#include <hdf5.h>
#include <hdf5_hl.h>
#include <mpi.h>
#ifndef H5_HAVE_PARALLEL
#error "this HDF5 is serial"
#endif

int main() {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_mpio(access, MPI_COMM_WORLD, MPI_INFO_NULL);
  const hid_t file = H5Fcreate("probe.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  return H5DSis_scale(file) > 0 ? 1 : 0;
}
