namespace JobHost;

/// <summary>What an <see cref="IStepJob{TParameters}"/> says between two steps.</summary>
public readonly record struct Step
{
    private Step(TimeSpan pause, bool isLast, object? result)
    {
        Pause = pause;
        IsLast = isLast;
        Result = result;
    }

    /// <summary>How long to wait before the next step; no thread is held meanwhile.</summary>
    public TimeSpan Pause { get; }

    /// <summary>True when this step ends the run.</summary>
    public bool IsLast { get; }

    /// <summary>The result of the run, where <see cref="IsLast"/> is true.</summary>
    public object? Result { get; }

    /// <summary>Go on with the next step as soon as others had their turn.</summary>
    public static Step Next => default;

    /// <summary>Go on with the next step after a pause.</summary>
    /// <param name="pause">Not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">The pause is negative.</exception>
    public static Step After(TimeSpan pause)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pause, TimeSpan.Zero);
        return new(pause, isLast: false, result: null);
    }

    /// <summary>End the run with a result.</summary>
    public static Step Return(object? result) => new(TimeSpan.Zero, isLast: true, result);
}
