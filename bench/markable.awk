# SPDX-License-Identifier: GPL-2.0
#
# Makes the tables of bench/markable from the output of its guests: "KERNEL STATE WAY …".

function row(cells,    n, i, cell, line) {
	n = split(cells, cell, "|")
	if (markdown) {
		line = "|"
		for (i = 1; i <= n; i++)
			line = line " " cell[i] " |"
		print line
		return
	}
	line = sprintf("%-22s", cell[1])
	for (i = 2; i <= n; i++)
		line = line sprintf(" %16s", cell[i])
	print line
}

function head(title, cells,    n, cell, i, line) {
	print (markdown ? "\n### " title "\n" : "\n" title)
	row(cells)
	if (!markdown)
		return
	n = split(cells, cell, "|")
	line = "|"
	for (i = 1; i <= n; i++)
		line = line (i == 1 ? " --- |" : " ---: |")
	print line
}

function percent(part, whole) {
	return whole ? sprintf("%.1f %%", 100 * part / whole) : "-"
}

# taken(GUEST, WAY): the number of taken pages of all kinds
function taken(guest, way,    i, sum) {
	for (i = 1; i <= nr_kinds; i++)
		sum += got[guest, way, kinds[i]]
	return sum + 0
}

function all(guest, way,    i, sum) {
	for (i = 1; i <= nr_kinds; i++)
		sum += had[guest, way, kinds[i]]
	return sum + 0
}

# the number of pages that were free or movable
function usable(table, guest, way) {
	return table[guest, way, "free"] + table[guest, way, "cache"] + \
	       table[guest, way, "anon"] + table[guest, way, "shmem"] + \
	       table[guest, way, "hugetlb"]
}

function of(guest, way, kind) {
	return had[guest, way, kind] ? (got[guest, way, kind] + 0) " of " had[guest, way, kind] : "-"
}

function value(guest, name) {
	return number[guest, "mark", name] + 0
}

BEGIN {
	nr_kinds = split("free cache anon shmem hugetlb loose slab pgtable reserved kernel poisoned offline", kinds)
	nr_ways = split("contig mark resort soft", ways)
	nr_codes = split("kernel_memory neighbour in_use pinned transient isolated stray floor", codes)
}

$1 == "what" { sub(/^what - - /, ""); print; next }

{ guest = $1 " " $2; way = $3 }

!(guest in seen) { seen[guest] = 1; guests[++nr_guests] = guest }

$4 == "release" { release[$1] = $5 }

$4 == "number" { number[guest, way, $5] = $6 }

# page PFN KIND AFTER RESULT CODE VERDICT CULPRIT KIND REASON
$4 == "page" {
	pfn = $5
	order[guest, way] = order[guest, way] " " pfn
	was[guest, way, pfn] = $6
	had[guest, way, $6]++
	if (way == "contig" ? $8 == "ok" : way == "soft" ? $7 == "poisoned" : $7 == "offline")
		got[guest, way, $6]++
	else if (way == "soft")
		errno[guest, $6 " " $8]++
	if (way == "mark" && $8 == "ok")
		marked[guest, pfn] = 1
	if (way == "mark" && $8 != "ok") {
		refusals++
		verdict[guest, $10]++
		refused[guest, $9]++
		by_kind[guest, $9, $6]++
		if ($9 == "neighbour")
			beside[guest, $12]++
		if ($10 == "untrue")
			untrue[++nr_untrue] = guest ": PFN " pfn ", " $6 ", " $7 " afterwards, refused as " $9
	}
}

$4 == "resort" {
	kind = was[guest, "mark", $5]
	had[guest, "resort", kind]++
	if ($6 == "offline" || $6 == "poisoned")
		got[guest, "resort", kind]++
	if ($6 == "offline" && !((guest, $5) in marked))
		second[guest]++
	if ($6 == "poisoned") {
		poisoned[guest]++
		block = int($5 / 32768)
		if (!((guest, block) in hit)) {
			hit[guest, block] = 1
			blocks[guest]++
		}
	}
}

END {
	for (i = 1; i <= nr_guests; i++)
		for (j = 1; j <= nr_ways; j++)
			if (ways[j] != "resort" && order[guests[i], ways[j]] != order[guests[1], "mark"]) {
				print "not the same pages: " guests[i] ", " ways[j]
				broken = 1
			}
	for (kernel in release)
		names = names (names ? ", " : "") kernel ": " release[kernel]
	print "kernels " names

	head("The guests", "guest|page blocks|with kernel memory|with reserved too|unmovable|reclaimable|free MiB|cache MiB|anon MiB|slab MiB")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		row(g "|" value(g, "page_blocks") "|" percent(value(g, "with_kernel_memory"), value(g, "page_blocks")) \
			"|" percent(value(g, "with_unmovable"), value(g, "page_blocks")) \
			"|" value(g, "blocks_Unmovable") "|" value(g, "blocks_Reclaimable") \
			"|" int(value(g, "MemFree") / 1024) "|" int(value(g, "Cached") / 1024) \
			"|" int(value(g, "AnonPages") / 1024) "|" int(value(g, "Slab") / 1024))
	}

	head("Share of all pages", "guest|alloc_contig|module|and last resort|soft_offline")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		line = g
		for (j = 1; j <= nr_ways; j++)
			line = line "|" percent(taken(g, ways[j]), all(g, ways[j]))
		row(line)
	}
	head("Share of the pages that were free or movable", "guest|alloc_contig|module|and last resort|soft_offline")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		line = g
		for (j = 1; j <= nr_ways; j++)
			line = line "|" percent(usable(got, g, ways[j]), usable(had, g, ways[j]))
		row(line)
	}
	head("Where the pages that were marked came from", "guest|marked|alloc_contig|free list|alloc_contig, share")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		n = taken(g, "mark")
		row(g "|" n "|" n - value(g, "freelist") "|" value(g, "freelist") \
			"|" percent(n - value(g, "freelist"), all(g, "mark")))
	}
	head("By what the page was", "guest, page|alloc_contig|module|and last resort|soft_offline")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		for (k = 1; k <= nr_kinds; k++) {
			line = ""
			for (j = 1; j <= nr_ways; j++)
				line = line "|" of(g, ways[j], kinds[k])
			if (line ~ /of/)
				row(g ", " kinds[k] line)
		}
	}
	head("Refused by the module", "guest, reason|pages|what they are")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		for (c = 1; c <= nr_codes; c++) {
			line = ""
			for (k = 1; k <= nr_kinds; k++)
				if (by_kind[g, codes[c], kinds[k]])
					line = line (line ? ", " : "") by_kind[g, codes[c], kinds[k]] " " kinds[k]
			if (codes[c] == "neighbour") {
				also = ""
				for (k = 1; k <= nr_kinds; k++)
					if (beside[g, kinds[k]])
						also = also (also ? ", " : "") beside[g, kinds[k]] " " kinds[k]
				line = line "; beside " also
			}
			if (refused[g, codes[c]])
				row(g ", " codes[c] "|" refused[g, codes[c]] "|" line)
		}
	}
	head("Are the reasons true?", "guest|refused|true|true once|untrue")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		row(g "|" verdict[g, "true"] + verdict[g, "once"] + verdict[g, "untrue"] "|" verdict[g, "true"] + 0 \
			"|" verdict[g, "once"] + 0 "|" verdict[g, "untrue"] + 0)
	}
	print ""
	for (i = 1; i <= nr_untrue; i++)
		print (markdown ? "- " : "") untrue[i]
	head("What the last resort costs", "guest|poisoned|marked at a second try|memory blocks with poison|hundredths of a second|HardwareCorrupted kB|MemTotal kB less")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		row(g "|" poisoned[g] + 0 "|" second[g] + 0 "|" blocks[g] + 0 "|" value(g, "resort-cs") \
			"|" value(g, "HardwareCorrupted-resort") "|" value(g, "MemTotal-marked") - value(g, "MemTotal-resort"))
	}
	head("Not taken by soft_offline_page", "guest|pages, by kind and errno")
	for (i = 1; i <= nr_guests; i++) {
		g = guests[i]
		line = ""
		for (k in errno) {
			split(k, part, SUBSEP)
			if (part[1] == g)
				line = line (line ? ", " : "") errno[k] " " part[2]
		}
		row(g "|" line)
	}
	exit nr_untrue || broken
}
