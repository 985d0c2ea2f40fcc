namespace JobHost.Jobs;

/// <summary>
/// A command as the configuration describes it, under <c>JobHost:Commands:NAME</c>. Nothing of it passes through a shell.
/// </summary>
public sealed class CommandConfig
{
    public string? Description { get; set; }

    /// <summary>The program: an absolute path, or a bare name that is looked up in PATH when the server starts.</summary>
    public string? File { get; set; }

    /// <summary>
    /// One entry for each argument. <c>{name}</c> stands for a parameter, <c>{{</c> and <c>}}</c> for braces. An entry that
    /// names an optional parameter which a start does not give is left out.
    /// </summary>
    public List<string> Arguments { get; set; } = [];

    public Dictionary<string, CommandParameterConfig> Parameters { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Added to the few variables that every run gets.</summary>
    public Dictionary<string, string> Environment { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Variables whose values are secrets of <c>JobHost:Secrets</c>, by the names of those.</summary>
    public Dictionary<string, string> Secrets { get; set; } = new(StringComparer.Ordinal);

    /// <summary>An absolute path; default: a folder of the run's own.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>
    /// Whether the program reads what is sent to <c>/runs/{id}/input</c> from its standard input. Default false: there is nothing
    /// to read.
    /// </summary>
    public bool TakesInput { get; set; }

    public List<LadderStepConfig>? Ladder { get; set; }

    public TimeSpan? SoftTimeout { get; set; }

    public TimeSpan? Timeout { get; set; }

    public int? ConcurrencyLimit { get; set; }

    public int? QueueLimit { get; set; }

    public int Priority { get; set; }

    public RetryPolicy? Retry { get; set; }

    public Lifetime Lifetime { get; set; }

    /// <inheritdoc cref="JobOptions.OnStopped"/>
    public string? OnStopped { get; set; }

    public long? OutputLimit { get; set; }

    public JobLimits Limits { get; set; } = new();

    /// <summary>Keeps with a run where its processes were when force is about to be used. Default false.</summary>
    public bool Autopsy { get; set; }
}

/// <summary>A parameter of a command.</summary>
public sealed class CommandParameterConfig
{
    /// <summary><c>string</c> (default), <c>integer</c>, <c>number</c> or <c>boolean</c>.</summary>
    public string Type { get; set; } = "string";

    public string? Description { get; set; }

    /// <summary>What a start that does not give it means.</summary>
    public string? Default { get; set; }

    /// <summary>Whether every start must give it. Not together with a default.</summary>
    public bool Required { get; set; }

    /// <summary>A regular expression that the whole value must match.</summary>
    public string? Pattern { get; set; }

    /// <summary>
    /// Lets a string that begins an argument itself begin with <c>-</c>, so that whoever starts the job can pass options to
    /// the program. Default false.
    /// </summary>
    public bool AllowLeadingDash { get; set; }
}

/// <summary>A rung of a ladder in configuration.</summary>
public sealed class LadderStepConfig
{
    public Rung Rung { get; set; }

    public TimeSpan Grace { get; set; }
}
