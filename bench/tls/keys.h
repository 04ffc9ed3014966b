/* Certificates of the bench, made anew in each run: nothing secret is in the tree, and nothing expires. */
#pragma once

/* Writes FOLDER/ecdsa.pem (P-256) and FOLDER/rsa.pem (2048 bits), each with its key, which nobody else may read. They
 * are the same for all folders of a run. Ends the program when that cannot be. Main thread. */
void keys_write(const char *folder);
