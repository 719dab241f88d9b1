#!/bin/sh
printf 'Content-Type: text/html\r\n\r\n<h1>Version 1</h1>\n'
