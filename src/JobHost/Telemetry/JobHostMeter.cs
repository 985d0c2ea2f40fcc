using System.Diagnostics.Metrics;
using System.Reflection;

namespace JobHost.Telemetry;

/// <summary>The one meter. What it counts is of the process; nothing is computed where nobody listens.</summary>
public static class JobHostMeter
{
    /// <summary>The name of the meter, and of the source of the spans.</summary>
    public const string Name = "JobHost";

    /// <summary>The version of the meter, and of the service.</summary>
    public static string? Version { get; } =
        typeof(JobHostMeter).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()?.Version;

    internal static readonly Meter Meter = New();

    /// <summary>In seconds: what is over within some milliseconds, such as a commit or a kill.</summary>
    internal static readonly InstrumentAdvice<double> Short = new()
    {
        HistogramBucketBoundaries =
        [
            0.0005,
            0.001,
            0.0025,
            0.005,
            0.01,
            0.025,
            0.05,
            0.1,
            0.25,
            0.5,
            1,
            2.5,
            5,
            10,
            30,
        ],
    };

    /// <summary>In seconds: what may take hours.</summary>
    internal static readonly InstrumentAdvice<double> Long = new()
    {
        HistogramBucketBoundaries =
        [
            0.005,
            0.01,
            0.025,
            0.05,
            0.1,
            0.25,
            0.5,
            1,
            2.5,
            5,
            10,
            30,
            60,
            300,
            900,
            3600,
            14400,
            86400,
        ],
    };

    /// <summary>A meter of the same name for what belongs to one node and ends with it.</summary>
    internal static Meter New() => new(Name, Version);
}
