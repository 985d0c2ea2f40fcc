using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace JobHost.TestHost.Jobs;

/// <param name="Seconds">When the job ends by itself, whatever happens.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record LifeParameters(
    [Range(0.0, 86_400.0), Description("After how many seconds the job ends by itself.")] double Seconds = 120,
    [Description("The file that grows while the job's code runs.")] string? Marker = null
);

/// <param name="Seconds">When the job ends by itself, whatever happens.</param>
/// <param name="Release">The absolute path of a file whose appearance ends the job.</param>
/// <param name="Marker">The absolute path of its side counter, or null for none.</param>
internal sealed record ReleaseParameters(
    [Range(0.0, 86_400.0)] double Seconds = 120,
    string? Release = null,
    string? Marker = null
);
