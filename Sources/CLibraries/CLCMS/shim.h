#include <lcms2.h>

// lcms2 spells its pixel layouts as macros that Swift does not see.
static const cmsUInt32Number CLCMS_GREY_8 = TYPE_GRAY_8;
static const cmsUInt32Number CLCMS_GREY_ALPHA_8 = TYPE_GRAYA_8;
static const cmsUInt32Number CLCMS_RGB_8 = TYPE_RGB_8;
static const cmsUInt32Number CLCMS_RGBA_8 = TYPE_RGBA_8;
static const cmsUInt32Number CLCMS_CMYK_8 = TYPE_CMYK_8;
static const cmsUInt32Number CLCMS_COPY_ALPHA = cmsFLAGS_COPY_ALPHA;
