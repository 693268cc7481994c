// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers of the hypervisor that need the online-page hook for themselves.
 *
 * hv_balloon and the Xen balloon ignore the result of set_online_page_callback().
 * Without the slot, hot-added pages that the hypervisor does not back would go to
 * the buddy allocator. virtio-mem fails to probe without it. So the module leaves the
 * slot to them where they may come, also before they are loaded.
 *
 * A virtio-mem device is found on the PCI bus only.
 */
#include <linux/pci.h>
#include <uapi/linux/virtio_ids.h>
#include <xen/xen.h>
#ifdef CONFIG_X86
#include <asm/hypervisor.h>
#endif

#include "hypervisor.h"

/* A virtio device on PCI: the ID of its type comes on top. */
#define VIRTIO_PCI_VENDOR	0x1af4
#define VIRTIO_PCI_DEVICE	0x1040

static bool has_virtio_mem(void)
{
	struct pci_dev *dev = pci_get_device(VIRTIO_PCI_VENDOR,
					     VIRTIO_PCI_DEVICE + VIRTIO_ID_MEM,
					     NULL);

	pci_dev_put(dev);
	return dev;
}

static bool is_hyperv(void)
{
#ifdef CONFIG_X86
	return hypervisor_is_type(X86_HYPER_MS_HYPERV);
#else
	return false;
#endif
}

/**
 * fo_hypervisor_needs_hook() - does a driver of the hypervisor need the hook?
 *
 * Context: sleeps.
 * Return: its name, or NULL.
 */
const char *fo_hypervisor_needs_hook(void)
{
	if (is_hyperv())
		return "the Hyper-V balloon";
	if (xen_domain())
		return "the Xen balloon";
	return has_virtio_mem() ? "virtio-mem" : NULL;
}
