using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost;

/// <summary>Registers jobs and the services that they need. Runs in the host and in every worker, so it should be quick.</summary>
public sealed partial class JobsBuilder
{
    private readonly List<JobRegistration> registrations = [];

    /// <param name="services">Where the jobs' own services are registered.</param>
    public JobsBuilder(IServiceCollection services)
    {
        Services = services;
    }

    /// <summary>Services of the jobs; scoped ones live as long as a run.</summary>
    public IServiceCollection Services { get; }

    /// <summary>What has been registered so far, in order.</summary>
    public IReadOnlyList<JobRegistration> Registrations => registrations;

    /// <summary>
    /// Registers a class that implements <see cref="IJob{TParameters}"/>, <see cref="IThreadJob{TParameters}"/> or
    /// <see cref="IStepJob{TParameters}"/>.
    /// </summary>
    /// <param name="name">1 to 64 of <c>a-z 0-9 . _ -</c>, beginning with a letter or digit; it stands in URLs.</param>
    /// <param name="configure">Sets the job's policy.</param>
    /// <exception cref="ArgumentException">The name is not valid, or the class implements none or several of the interfaces.</exception>
    public JobsBuilder Add<TJob>(string name, Action<JobOptions>? configure = null)
        where TJob : class
    {
        var contracts = typeof(TJob)
            .GetInterfaces()
            .Where(type => type.IsGenericType && FormOf(type.GetGenericTypeDefinition()) is not null)
            .ToList();
        if (contracts is not [var contract])
        {
            throw new ArgumentException(
                $"{typeof(TJob)} must implement one of IJob<T>, IThreadJob<T> and IStepJob<T>; it implements {contracts.Count}.",
                nameof(name)
            );
        }
        return Add(
            name,
            configure,
            FormOf(contract.GetGenericTypeDefinition())!.Value,
            typeof(TJob),
            contract.GetGenericArguments()[0],
            null
        );
    }

    /// <summary>
    /// Registers a method, in the manner of minimal APIs. Its parameters are the <see cref="JobContext"/>, a
    /// <see cref="CancellationToken"/>, services, and either one record or class that takes all of the run's parameters, or
    /// simple values that take them by name. A method that returns a task is a <c>task</c> job, one that returns
    /// <see cref="IAsyncEnumerable{T}"/> of <see cref="Step"/> a <c>step</c> job, any other a <c>thread</c> job.
    /// </summary>
    /// <inheritdoc cref="Add{TJob}" path="/param"/>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public JobsBuilder Add(string name, Delegate body, Action<JobOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        var returns = body.Method.ReturnType;
        var form =
            typeof(IAsyncEnumerable<Step>).IsAssignableFrom(returns) ? JobForm.Steps
            : returns == typeof(ValueTask)
            || typeof(Task).IsAssignableFrom(returns)
            || (returns.IsGenericType && returns.GetGenericTypeDefinition() == typeof(ValueTask<>))
                ? JobForm.Async
            : JobForm.Blocking;
        return Add(name, configure, form, null, null, body);
    }

    private JobsBuilder Add(
        string name,
        Action<JobOptions>? configure,
        JobForm form,
        Type? job,
        Type? parameters,
        Delegate? body
    )
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!ValidName().IsMatch(name))
        {
            throw new ArgumentException(
                $"'{name}' is no job name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.",
                nameof(name)
            );
        }
        var options = new JobOptions();
        configure?.Invoke(options);
        registrations.Add(
            new JobRegistration
            {
                Name = name,
                Form = form,
                JobType = job,
                ParametersType = parameters,
                Body = body,
                Options = options,
            }
        );
        return this;
    }

    private static JobForm? FormOf(Type definition) =>
        definition == typeof(IJob<>) ? JobForm.Async
        : definition == typeof(IThreadJob<>) ? JobForm.Blocking
        : definition == typeof(IStepJob<>) ? JobForm.Steps
        : null;

    /// <summary>What a job may be called.</summary>
    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    public static partial Regex ValidName();
}

/// <summary>How the code of a job is written, which decides the kinds that it can run as.</summary>
public enum JobForm
{
    /// <summary>Returns a task.</summary>
    Async,

    /// <summary>Returns when it is done.</summary>
    Blocking,

    /// <summary>Yields steps.</summary>
    Steps,
}

/// <summary>A job as its author registered it, not yet checked.</summary>
public sealed record JobRegistration
{
    /// <summary>The job's name.</summary>
    public required string Name { get; init; }

    /// <summary>How the code is written.</summary>
    public required JobForm Form { get; init; }

    /// <summary>The class of the job, or null for a method.</summary>
    public Type? JobType { get; init; }

    /// <summary>The type of the parameters of a class, or null for a method.</summary>
    public Type? ParametersType { get; init; }

    /// <summary>The method, or null for a class.</summary>
    public Delegate? Body { get; init; }

    /// <summary>The job's policy.</summary>
    public required JobOptions Options { get; init; }
}
