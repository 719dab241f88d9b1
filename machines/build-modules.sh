#!/bin/bash
# Makes the modules that Debian's kernel for user-mode Linux lacks, from Debian's source of the same release.
set -e
cd /usr/src
tar -xf linux-source-*.tar.xz
rm linux-source-*.tar.xz
cd linux-source-*
modules=$(echo /usr/lib/uml/modules/*)
version=$(basename "$modules")
# The source may be some corrections ahead; a module has to carry the kernel's own number.
sed -i "s/^SUBLEVEL = .*/SUBLEVEL = ${version##*.}/" Makefile
zcat /usr/share/doc/user-mode-linux/config.gz >.config
scripts/config -e NF_TABLES_IPV4 -e NF_TABLES_IPV6 -e NF_TABLES_INET -m NFT_NAT -m NFT_FIB_IPV4 -m NFT_FIB_IPV6 \
  -m NFT_FIB_INET -e DEBUG_INFO_NONE -d LOCALVERSION_AUTO
netfilter=net/netfilter
made=("$netfilter"/{nf_nat,nf_tables,nft_chain_nat,nft_nat,nft_fib,nft_fib_inet,nft_reject_inet}.ko
  net/ipv4/netfilter/{nft_fib_ipv4,nft_reject_ipv4}.ko net/ipv6/netfilter/{nft_fib_ipv6,nft_reject_ipv6}.ko)
make -s ARCH=um olddefconfig
make -s ARCH=um -j2 modules_prepare
make -s ARCH=um -j2 KBUILD_MODPOST_WARN=1 "${made[@]}"
for module in "${made[@]}"; do
  install -D -m 644 "$module" "$modules/kernel/$module"
done
cd /
rm -rf /usr/src/linux-source-*
